package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// local is a conversation with a git-upload-pack on this machine. go-git's own file transport cannot declare the
// repository safe, and is not stopped by a context.
type local struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	stderr binary.Text
	packed bool // the pack was asked for, so the program ends by itself
	ended  bool
}

// startLocal starts git-upload-pack for the repository at path.
func startLocal(ctx context.Context, path string) (*local, error) {
	if err := lookLocal(path); err != nil {
		return nil, err
	}
	owner, err := binary.OwnerOf(path)
	if err != nil {
		return nil, err
	}
	// As its owner: alternates and links of a repository lead wherever that owner likes.
	l := &local{cmd: binary.As(binary.Command(ctx, path, "upload-pack", path), owner)}
	l.cmd.Stderr = &l.stderr
	if l.stdin, err = l.cmd.StdinPipe(); err == nil {
		l.stdout, err = l.cmd.StdoutPipe()
	}
	if err == nil {
		err = l.cmd.Start()
	}
	if err != nil {
		return nil, l.stderr.Explain(err)
	}
	return l, nil
}

// lendLocal starts git-upload-pack for another program: its output and its input. done waits for its end. It speaks the
// first version of the protocol, in which it knows when it is done: the other program holds its input open.
func lendLocal(ctx context.Context, path string) (pipes []*os.File, done func() error, err error) {
	l, err := startLocal(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	out, ok := l.stdout.(*os.File)
	in, also := l.stdin.(*os.File)
	if !ok || !also {
		return nil, nil, errors.Join(waybill.Errorf(waybill.Internal, "the pipes of git-upload-pack cannot be lent"), l.Close())
	}
	l.packed = true // what is asked of it is the other program's business
	return []*os.File{out, in}, l.Close, nil
}

// lookLocal tells a folder that is gone or closed from a program that failed.
func lookLocal(path string) error {
	for _, name := range []string{"HEAD", ".git"} {
		_, err := os.Stat(filepath.Join(path, name))
		if err == nil {
			return nil
		}
		if errors.Is(err, fs.ErrPermission) {
			return waybill.Wrap(waybill.Denied, err, "the folder "+path+" may not be read")
		}
	}
	return waybill.Wrap(waybill.NotFound, transport.ErrRepositoryNotFound, "no Git repository at "+path)
}

// AdvertisedReferencesContext reads the list of refs. ErrEmptyRemoteRepository when there is none.
func (l *local) AdvertisedReferencesContext(context.Context) (*packp.AdvRefs, error) {
	ar := packp.NewAdvRefs()
	err := ar.Decode(l.stdout)
	if errors.Is(err, packp.ErrEmptyAdvRefs) || err == nil && ar.IsEmpty() {
		return nil, transport.ErrEmptyRemoteRepository
	}
	if err != nil {
		return nil, l.fail(err)
	}
	transport.FilterUnsupportedCapabilities(ar.Capabilities)
	return ar, nil
}

// UploadPack asks for a pack. The request is written whole before the answer is read: it is small, and without
// multi_ack the answer before the pack fits a pipe.
func (l *local) UploadPack(_ context.Context, req *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	var b bytes.Buffer
	if err := req.UploadRequest.Encode(&b); err != nil {
		return nil, err
	}
	if err := req.UploadHaves.Encode(&b, true); err != nil {
		return nil, err
	}
	if err := pktline.NewEncoder(&b).EncodeString("done\n"); err != nil {
		return nil, err
	}
	l.packed = true
	if _, err := l.stdin.Write(b.Bytes()); err != nil {
		return nil, l.fail(err)
	}
	if err := l.stdin.Close(); err != nil {
		return nil, l.fail(err)
	}
	res := packp.NewUploadPackResponse(req)
	if err := res.Decode(l.stdout); err != nil {
		return nil, l.fail(err)
	}
	return res, nil
}

// fail ends the program and adds what it said.
func (l *local) fail(err error) error {
	if exit := l.Close(); exit != nil {
		err = fmt.Errorf("%w: %w", err, exit)
	}
	return waybill.Wrap(waybill.Unavailable, err, "git-upload-pack failed")
}

// Close says that no (more) pack is wanted and waits for the program to end.
func (l *local) Close() error {
	if l.ended {
		return nil
	}
	l.ended = true
	if !l.packed {
		_, _ = l.stdin.Write(pktline.FlushPkt)
	}
	_ = l.stdin.Close()
	_ = l.stdout.Close()
	if err := l.cmd.Wait(); err != nil {
		return l.stderr.Explain(err)
	}
	return nil
}
