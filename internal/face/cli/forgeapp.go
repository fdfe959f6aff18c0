package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/git/forge/github"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// newApp is the making of a GitHub App from a manifest.
// See https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest.
type newApp struct {
	name, organization string // organization is empty for a person's App
	forge              string // name in the configuration, which stands in the hook's address
	home               string // of GitHub
	public             string // address of Waybill
	folder             string
	wait               time.Duration
}

func (a *app) forgeApp() *cobra.Command {
	var n newApp
	c := &cobra.Command{
		Use: "app --public-url <address>", Short: "Make a GitHub App", Args: exactly(0, ""),
		Long: "Make the GitHub App that Waybill is. Prints the address of a page on this machine; open it in a browser that is\n" +
			"signed in to GitHub and follow it. GitHub's answer comes back here: the private key and the secret of the App's\n" +
			"hook are written into the data folder, readable for you only, and what to put into the configuration is printed.",
		Example: "  waybill forge app --public-url https://waybill.example.org --organization acme",
		RunE: func(cmd *cobra.Command, _ []string) error {
			n.public = strings.TrimRight(cmp.Or(n.public, a.Getenv("WAYBILL_PUBLIC_URL")), "/")
			n.folder = cmp.Or(n.folder, a.Getenv("WAYBILL_DATA"), ".waybill")
			if u, err := url.Parse(n.public); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
				return misuse("say where GitHub reaches the server: --public-url https://…")
			}
			if !appForge.MatchString(n.forge) || n.forge == "plain" {
				return misuse("%q is no name of a forge: use lower-case letters, digits and dashes", n.forge)
			}
			n.home = strings.TrimRight(n.home, "/")
			return a.makeApp(cmd.Context(), n)
		},
	}
	c.Flags().StringVar(&n.public, "public-url", "", "address that GitHub reaches the server at (default: $WAYBILL_PUBLIC_URL)")
	c.Flags().StringVar(&n.organization, "organization", "", "organization that will own the App (default: you)")
	c.Flags().StringVar(&n.name, "name", "Waybill", "name of the App, unique on all of GitHub")
	c.Flags().StringVar(&n.forge, "forge", "github", "name of the forge in the configuration")
	c.Flags().StringVar(&n.home, "url", "https://github.com", "address of GitHub")
	c.Flags().StringVar(&n.folder, "data", "", "folder for key and secret (default: $WAYBILL_DATA or .waybill)")
	c.Flags().DurationVar(&n.wait, "wait", 15*time.Minute, "how long to wait for you")
	return c
}

var appForge = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// appForm sends the manifest to GitHub from the person's browser, which is signed in there.
const appForm = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Make a GitHub App</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 3em auto">
<h1>Make a GitHub App</h1>
<p>GitHub will show the name and ask you to confirm. Then the App's key comes back to the command that printed this address.</p>
<form action="{{.Action}}" method="post"><input type="hidden" name="manifest" value="{{.Manifest}}"><button>Go on to {{.Home}}</button></form>
</body></html>`

// makeApp serves the page and waits for GitHub's answer.
func (a *app) makeApp(ctx context.Context, n newApp) error {
	ctx, cancel := context.WithTimeout(ctx, n.wait)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "cannot listen on this machine")
	}
	here, state := "http://"+listener.Addr().String(), rand.Text()
	manifest, err := json.Marshal(github.ManifestFor(n.name, n.public, n.public+"/hooks/"+n.forge+"/app", here+"/callback"))
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "the manifest cannot be written")
	}
	codes := make(chan string, 1)
	server := &http.Server{Handler: n.pages(manifest, state, codes), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends when it is closed
	}()
	defer func() {
		_ = server.Close()
		<-served
	}()
	if _, err := fmt.Fprintf(a.Stdout, "open %s/ in a browser that is signed in to %s\n", here, n.home); err != nil {
		return err
	}
	select {
	case code := <-codes:
		made, err := github.Convert(ctx, github.Options{URL: n.home}, code)
		if err != nil {
			return waybill.Wrap(waybill.Unavailable, err, "GitHub did not hand out the App's key ("+err.Error()+"); delete the App there and start again")
		}
		return a.keepApp(n, made)
	case <-ctx.Done():
		return waybill.Errorf(waybill.Unavailable, "GitHub did not come back within %s", n.wait)
	}
}

// pages are the form and the address that GitHub sends the browser back to.
func (n newApp) pages(manifest []byte, state string, codes chan<- string) http.Handler {
	action := n.home + "/settings/apps/new"
	if n.organization != "" {
		action = n.home + "/organizations/" + url.PathEscape(n.organization) + "/settings/apps/new"
	}
	form := template.Must(template.New("form").Parse(appForm))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Referrer-Policy", "no-referrer")
		_ = form.Execute(w, map[string]string{"Action": action + "?state=" + state, "Manifest": string(manifest), "Home": n.home}) // the reader left
	})
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		code := r.URL.Query().Get("code")
		if r.URL.Query().Get("state") != state || !appCode.MatchString(code) {
			http.Error(w, "This is not the answer that was waited for. Start again.", http.StatusBadRequest)
			return
		}
		select {
		case codes <- code:
		default: // it came before
		}
		_, _ = io.WriteString(w, "The App is made. Go back to the terminal.\n") // the reader left
	})
	return mux
}

var appCode = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// keepApp writes key and secret and says what to do next.
func (a *app) keepApp(n newApp, made github.Registration) error {
	folder, err := filepath.Abs(n.folder)
	if err != nil {
		return waybill.Wrap(waybill.Invalid, err, "cannot resolve "+n.folder)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "cannot create "+folder)
	}
	key, secret := filepath.Join(folder, n.forge+".app.pem"), filepath.Join(folder, n.forge+".app.secret")
	for name, text := range map[string]string{key: string(made.Key), secret: made.HookSecret + "\n"} {
		if err := writeSecret(name, text); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(a.Stdout, `%s is made (%s)

put this into the configuration and start the server again:

forges:
  - name: %s
    kind: github
    url: %s
    app: {id: %d, keyFile: %q, hookSecretFile: %q}

then install it in the repositories to watch: %s/installations/new
`, made.Slug, made.Page, n.forge, n.home, made.ID, key, secret, made.Page)
	return err
}

// writeSecret writes a file for its owner only, also over one that others may read.
func writeSecret(name, text string) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".app-*") // mode 0600
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "cannot write "+name)
	}
	defer func() { _ = os.Remove(f.Name()) }() // once it is renamed it is gone
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "cannot write "+name)
	}
	return nil
}
