package runnertest

import (
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func cage(t *testing.T, s suite) {
	r := s.run(t, `
		touch /evil 2>/dev/null && echo "root is writable"
		grep -q '^tmpfs /data tmpfs' /proc/mounts || echo "volume is on the disk"
		touch /etc/hosts 2>/dev/null && echo "hosts is writable"
		mount -t tmpfs x /tmp 2>/dev/null && echo "may mount"
		mknod /tmp/disk b 8 0 2>/dev/null && echo "may make devices"
		echo yes > /tmp/x && cat /tmp/x
		echo 'echo ran' > /tmp/prog && chmod +x /tmp/prog && /tmp/prog
		grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status`)
	want := "yes\nran\nCapBnd:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n"
	got := strings.Split(strings.TrimSpace(r.out), "\n")
	for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
		if !strings.Contains(r.out, line+"\n") {
			t.Errorf("missing %q in %q", line, r.out)
		}
	}
	if len(got) != 5 {
		t.Errorf("stdout = %q, want only the lines of %q", r.out, want)
	}
}

func memory(t *testing.T, s suite) {
	spec := s.spec(t, `sleep 0.5; exec tail -c 200m /dev/zero`) // engines may miss a kill in the first moments
	spec.Limits.Memory = 16 << 20
	r := s.wait(t, s.start(t, spec).ID)
	if r.Code != 137 || !r.OutOfMemory {
		t.Errorf("exit = %+v, want 137 for memory", r.Exit)
	}
}

func processes(t *testing.T, s suite) {
	spec := s.spec(t, `i=0; while [ $i -lt 60 ]; do sleep 20 & i=$((i+1)); done; echo unlimited`)
	spec.Limits.PIDs = 20
	r := s.wait(t, s.start(t, spec).ID)
	if strings.Contains(r.out, "unlimited") || r.Code == 0 {
		t.Errorf("exit = %+v with %q, want the shell to fail at its limit", r.Exit, r.out)
	}
}

func network(t *testing.T, s suite) {
	const interfaces = `ls /sys/class/net`
	wantText(t, "interfaces without network", s.run(t, interfaces).out, "lo\n")
	spec := s.spec(t, interfaces)
	spec.Network = true
	if r := s.wait(t, s.start(t, spec).ID); len(strings.Fields(r.out)) != 2 {
		t.Errorf("interfaces with network = %q, want lo and one of its own", r.out)
	}
}

func badLimits(t *testing.T, s suite) {
	for _, cpu := range []string{"0", "-1", "many", "NaN", "1e9"} {
		spec := s.spec(t, "true")
		spec.Limits.CPU = cpu
		_, err := s.Backend.Start(t.Context(), spec)
		wantCode(t, err, waybill.Invalid)
	}
	for _, cpu := range []string{"0.001", "64"} {
		spec := s.spec(t, "true")
		spec.Limits.CPU = cpu
		if r := s.wait(t, s.start(t, spec).ID); r.Code != 0 {
			t.Errorf("cpu %s: exit %+v", cpu, r.Exit)
		}
	}
}
