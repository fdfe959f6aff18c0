# Waybill as an image: one static binary, no shell, not root.
#
#   docker build -t waybill .     everything inside, needs the golang image
#   make image                    the binary compiled outside, needs no base image
#
# It reaches an engine through DOCKER_HOST, or through the mounted socket with --group-add of the socket's group.
# Data is in /data. Repositories are reached by URL: this image holds no git program, which local paths need.

FROM scratch AS base
USER 65532:65532
VOLUME /data
EXPOSE 8080 8081
ENTRYPOINT ["/waybill"]
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:8080", "--admin-listen", "0.0.0.0:8081"]

FROM base AS local
COPY --chown=65532:65532 bin/rootfs /

FROM golang:1.26 AS source
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN make rootfs VERSION="$VERSION"

FROM base
COPY --from=source --chown=65532:65532 /src/bin/rootfs /
