package binary

import (
	"encoding/base64"
	"os/exec"
	"strconv"
	"syscall"
)

// Group makes cmd the head of a process group of its own, which a cancelled context kills as a whole: git leaves the
// work to other programs, which would go on without it.
func Group(cmd *exec.Cmd) *exec.Cmd {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// Setting is one line of git's configuration.
type Setting struct{ Key, Value string }

// With gives cmd settings through its environment, where other users of the machine cannot read them, as they can read
// arguments. It can be used once for each command.
func With(cmd *exec.Cmd, settings ...Setting) *exec.Cmd {
	cmd.Env = append(cmd.Env, "GIT_CONFIG_COUNT="+strconv.Itoa(len(settings)))
	for i, s := range settings {
		n := strconv.Itoa(i)
		cmd.Env = append(cmd.Env, "GIT_CONFIG_KEY_"+n+"="+s.Key, "GIT_CONFIG_VALUE_"+n+"="+s.Value)
	}
	return cmd
}

// Login is the setting that sends a user and a password with every HTTP request.
func Login(user, password string) Setting {
	return Setting{"http.extraHeader", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// Installed reports whether there is a git program.
func Installed() bool {
	_, err := exec.LookPath("git")
	return err == nil
}
