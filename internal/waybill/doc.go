// Package waybill defines what connectors and apps are and how they may change.
// It imports the standard library only: no SQL, no HTTP, no containers.
//
// One word per concept, used the same way in code, tables, API and pages:
//
//   - repository: a Git repository that Waybill watches
//   - ref: a branch or tag of a repository
//   - revision: one commit at the tip of a ref, as Waybill found it
//   - delivery: one message of a hook saying that refs moved
//   - check: the examination of one revision for one cause, from fetch to hand-over
//   - manifest: a file named waybill.yaml
//   - declaration: one document of a manifest; (kind, name, major) identifies it
//   - finding: one mistake in a manifest, with its place and what to do
//   - change: the difference between a declaration and what is stored, with its class
//   - release: one revision of one connector major on its way to people
//   - step: one stage of a release
//   - version: what is registered with the runtime: commit, manifest digest, image digest
//   - image: a built container image, identified by content
//   - site: a place where connectors are assigned and run
//   - assignment: a connector major at a site, with its values
//   - run: one execution of a connector at a site
//   - status: what a commit says about one context
package waybill
