package build

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digestid "github.com/opencontainers/go-digest"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// guard stands between the Dockerfile frontend and the engine. It lets only what [guard.check] accepts reach the engine,
// and remembers which line each operation came from.
type guard struct {
	gateway.Client
	allow  []string
	source *source
	lookup findBase
	warn   func(text string)

	mu    sync.Mutex
	lines map[digestid.Digest]int
}

// Solve inspects the build definition before the engine sees it.
func (g *guard) Solve(ctx context.Context, req gateway.SolveRequest) (*gateway.Result, error) {
	if req.Frontend != "" || len(req.FrontendInputs) > 0 || len(req.CacheImports) > 0 {
		return nil, waybill.Errorf(waybill.Invalid, "%s asks for another frontend or a remote cache, which is refused", g.source.dockerfile)
	}
	if req.Definition != nil {
		if err := g.inspect(req.Definition); err != nil {
			return nil, err
		}
	}
	return g.Client.Solve(ctx, req)
}

func (g *guard) inspect(def *pb.Definition) error {
	ops := make([]*pb.Op, len(def.Def))
	for i, raw := range def.Def {
		ops[i] = &pb.Op{}
		if err := ops[i].UnmarshalVT(raw); err != nil {
			return fmt.Errorf("read the build definition: %w", err)
		}
		g.remember(digestid.FromBytes(raw), ops[i], def.Source)
	}
	for i, raw := range def.Def {
		if cause := g.check(ops[i]); cause != "" {
			return waybill.Errorf(waybill.Invalid, "%s: %s", g.source.place(g.lineOf(digestid.FromBytes(raw))), cause)
		}
	}
	return nil
}

// remember notes the line of an operation, also for those of its inputs that come from no line themselves:
// what ADD fetches belongs to the line of ADD.
func (g *guard) remember(id digestid.Digest, op *pb.Op, src *pb.Source) {
	locations := src.GetLocations()[id.String()].GetLocations()
	if len(locations) == 0 || len(locations[0].Ranges) == 0 {
		return
	}
	line := int(locations[0].Ranges[0].Start.GetLine())
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lines == nil {
		g.lines = map[digestid.Digest]int{}
	}
	g.lines[id] = line
	for _, in := range op.Inputs {
		if _, known := g.lines[digestid.Digest(in.Digest)]; !known {
			g.lines[digestid.Digest(in.Digest)] = line
		}
	}
}

func (g *guard) lineOf(id digestid.Digest) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lines[id]
}

// check says why an operation is refused, or nothing.
func (g *guard) check(op *pb.Op) (cause string) {
	switch o := op.Op.(type) {
	case nil, *pb.Op_File, *pb.Op_Merge, *pb.Op_Diff:
		return ""
	case *pb.Op_Source:
		return checkSource(o.Source, g.allow)
	case *pb.Op_Exec:
		return checkExec(o.Exec)
	default:
		return "this operation is refused"
	}
}

func checkExec(exec *pb.ExecOp) (cause string) {
	switch {
	case exec.Network == pb.NetMode_HOST:
		return "the network of the host is refused"
	case exec.Security == pb.SecurityMode_INSECURE:
		return "privileged steps are refused"
	case len(exec.CdiDevices) > 0:
		return "devices of the host are refused"
	default:
		return ""
	}
}

// ResolveImageConfig lets the engine look for a base image, unless its registry is an internal address.
func (g *guard) ResolveImageConfig(
	ctx context.Context, ref string, opt sourceresolver.Opt,
) (string, digestid.Digest, []byte, error) {
	if err := g.checkBase(ctx, ref); err != nil {
		return "", "", nil, err
	}
	name, id, config, err := g.Client.ResolveImageConfig(ctx, ref, opt)
	if err != nil {
		return "", "", nil, &missingBase{ref: ref, cause: err}
	}
	return name, id, config, nil
}

// ResolveSourceMetadata does for newer engines what ResolveImageConfig does.
func (g *guard) ResolveSourceMetadata(
	ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt,
) (*sourceresolver.MetaResponse, error) {
	if cause := checkSource(op, g.allow); cause != "" {
		return nil, &refused{cause: cause}
	}
	ref, image := imageRef(op.Identifier)
	if image {
		if err := g.checkBase(ctx, ref); err != nil {
			return nil, err
		}
	}
	res, err := g.Client.ResolveSourceMetadata(ctx, op, opt)
	if err != nil {
		return nil, &missingBase{ref: ref, cause: err}
	}
	return res, nil
}

func (g *guard) checkBase(ctx context.Context, ref string) error {
	cause := checkRegistry(ref, g.allow)
	if cause == "" {
		return nil
	}
	if _, _, here, err := g.lookup(ctx, ref); err != nil || here {
		return err
	}
	return &refused{cause: cause}
}

// NewContainer refuses: Dockerfiles have no use for it.
func (g *guard) NewContainer(context.Context, gateway.NewContainerRequest) (gateway.Container, error) {
	return nil, &refused{cause: "containers beside the build are refused"}
}

// Warn prints a remark; engines before BuildKit 0.9 cannot carry it.
func (g *guard) Warn(_ context.Context, _ digestid.Digest, msg string, opts gateway.WarnOpts) error {
	line := 0
	if len(opts.Range) > 0 {
		line = int(opts.Range[0].Start.GetLine())
		msg = strings.TrimSuffix(msg, fmt.Sprintf(" (line %d)", line))
	}
	g.warn(fmt.Sprintf("%s: %s", g.source.place(line), msg))
	return nil
}

// missingBase is a base image that the engine neither has nor can pull.
type missingBase struct {
	ref   string
	cause error
}

func (m *missingBase) Error() string { return m.cause.Error() }
func (m *missingBase) Unwrap() error { return m.cause }

// refused is what the guard says where the line is not known yet.
type refused struct{ cause string }

func (r *refused) Error() string { return r.cause }
