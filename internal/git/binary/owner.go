package binary

import (
	"io/fs"
	"os"
	"os/exec"
	"syscall"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Owner is the user and group that a repository's files belong to.
type Owner struct{ UID, GID int }

// OwnerOf returns who owns the file or folder at path; NotFound when there is none.
func OwnerOf(path string) (Owner, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Owner{}, waybill.Wrap(waybill.NotFound, err, "no repository at "+path)
	}
	return ownerOf(info), nil
}

func ownerOf(info fs.FileInfo) Owner {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Owner{UID: os.Geteuid(), GID: os.Getegid()}
	}
	return Owner{UID: int(stat.Uid), GID: int(stat.Gid)}
}

// Foreign reports whether files must be handed to o: Waybill runs as root and o is somebody else.
func (o Owner) Foreign() bool { return os.Geteuid() == 0 && o.UID != 0 }

// Give makes o the owner of an open file, when Waybill may do that and it is not so yet.
func (o Owner) Give(f *os.File) error {
	if !o.Foreign() {
		return nil
	}
	return f.Chown(o.UID, o.GID)
}

// Mine reports Denied when files must be handed to o and the folder dir, named name, is not o's own: root would write
// where o may not.
func (o Owner) Mine(dir *os.Root, name string) error {
	info, err := dir.Stat(".")
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, name+" cannot be read")
	}
	if o.Foreign() && ownerOf(info).UID != o.UID {
		return waybill.Errorf(waybill.Denied, "%s does not belong to the owner of the repository", name)
	}
	return nil
}

// As makes cmd write files that belong to o: otherwise a repository that root wrote to could no longer be pushed to.
// The settings of root's own account are out of reach then, so the command does without any user's settings.
func As(cmd *exec.Cmd, o Owner) *exec.Cmd {
	if !o.Foreign() {
		return cmd
	}
	//nolint:gosec // G115: user and group ids come from the kernel as 32 bit values
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(o.UID), Gid: uint32(o.GID)}}
	cmd.Env = append(cmd.Env, "GIT_CONFIG_GLOBAL="+os.DevNull, "HOME="+cmd.Dir)
	return cmd
}
