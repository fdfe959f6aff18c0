package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/starter"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// init makes the command. The questions, which are read from schemas, become flags only when they are of use.
func (a *app) init(args []string) (*cobra.Command, error) {
	connector, err := a.initKind(args, "connector", "Start a connector: manifest, Dockerfile, program and README",
		func(folder string) (starter.Set, error) { return starter.Connector(folder) })
	if err != nil {
		return nil, err
	}
	application, err := a.initKind(args, "app", "Start an app: manifest, Dockerfile, receiver of events and README", a.appQuestions)
	if err != nil {
		return nil, err
	}
	return parent("init", "Start a connector or an app", connector, application), nil
}

// questions makes the questions for a folder.
type questions func(folder string) (starter.Set, error)

// appQuestions knows who asks as far as the environment says.
func (a *app) appQuestions(folder string) (starter.Set, error) {
	return starter.App(folder, a.Getenv("USER"), a.Getenv("EMAIL"))
}

func (a *app) initKind(args []string, kind, short string, ask questions) (*cobra.Command, error) {
	s := &start{app: a, ask: ask}
	c := &cobra.Command{
		Use: kind + " [folder]", Short: short, Args: atMostOne,
		Long: short + ".\nIn a terminal the seven parts of the set-up are asked; each question is also a flag. What is written is valid,\n" +
			"and a push deploys it unchanged. Files that are there are never overwritten.",
		Example: "  waybill init " + kind + "\n  waybill init " + kind + " " + map[string]string{"connector": "shop-feed --owner feeds", "app": "invoice-sync --owner finance-tools"}[kind] + " --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			s.folder = "."
			if len(args) > 0 {
				s.folder = args[0]
			}
			return s.run(cmd)
		},
	}
	if kind == "app" {
		c.Long = strings.Replace(c.Long, "a push deploys it unchanged", "a push makes a draft of it", 1)
	}
	c.Flags().SortFlags = false
	if !slices.Contains(args, "init") {
		return c, nil
	}
	set, err := ask(".")
	if err != nil {
		return nil, err
	}
	s.flags(c, set)
	return c, nil
}

// start is one `waybill init`.
type start struct {
	*app
	ask    questions
	folder string
	set    starter.Set
	yes    bool
}

// flags makes a flag of each question.
func (s *start) flags(c *cobra.Command, set starter.Set) {
	for _, q := range set.Questions {
		about := strings.ToLower(q.Ask[:1]) + q.Ask[1:]
		var choices []string
		for _, ch := range q.Choices() {
			choices = append(choices, ch.Value)
		}
		if len(choices) > 0 {
			about += ": " + strings.Join(choices, "|")
		}
		switch {
		case q.Steps != nil:
			about, _, _ = strings.Cut(strings.ReplaceAll(q.Help, "\n", " "), " Such as")
			c.Flags().StringArray(q.Name, nil, about+"; may be repeated")
		case q.Many:
			c.Flags().StringArray(q.Name, nil, about+"; may be repeated")
		default:
			c.Flags().String(q.Name, "", about)
		}
		if len(choices) > 0 {
			_ = c.RegisterFlagCompletionFunc(q.Name, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
		}
	}
	c.Flags().BoolVarP(&s.yes, "yes", "y", false, "ask nothing: take the default wherever no flag says otherwise")
}

func (s *start) run(cmd *cobra.Command) error {
	folder, err := filepath.Abs(s.folder)
	if err != nil {
		return waybill.Errorf(waybill.Invalid, "cannot resolve %s: %w", s.folder, err)
	}
	if s.set, err = s.ask(folder); err != nil {
		return err
	}
	if err := s.vacant(folder); err != nil {
		return err
	}
	answers, err := s.answers(cmd)
	if err != nil {
		return err
	}
	files, err := s.set.Files(answers)
	if err != nil {
		return err
	}
	findings, err := check(cmd.Context(), files)
	if err != nil {
		return err
	}
	if findings.Errors() > 0 {
		_ = writeFindings(s.Stderr, findings) // the error below is what counts
		return waybill.Errorf(waybill.Invalid, "these answers make no legal manifest; nothing was written")
	}
	return s.write(folder, files, answers)
}

// names lists the files that are written.
func (s *start) names() []string {
	if s.set.Kind == "app" {
		return []string{manifest.Name, "Dockerfile", "receive", "README.md"}
	}
	return []string{manifest.Name, "Dockerfile", "program", "README.md"}
}

// vacant reports Conflict when a file that would be written is there.
func (s *start) vacant(folder string) error {
	for _, name := range s.names() {
		_, err := os.Lstat(filepath.Join(folder, name))
		switch {
		case err == nil:
			return waybill.Errorf(waybill.Conflict, "%s is there already, and nothing is overwritten: name another folder", filepath.Join(s.folder, name))
		case !errors.Is(err, fs.ErrNotExist):
			return waybill.Errorf(waybill.Unavailable, "cannot use %s: %w", s.folder, err)
		}
	}
	return nil
}

// check loads the files as if they were a repository.
func check(ctx context.Context, files []starter.File) (waybill.Findings, error) {
	loader, err := manifest.New()
	if err != nil {
		return nil, err
	}
	r, err := loader.Load(ctx, drafts(files), manifest.Options{Platform: true})
	return r.Findings, err
}

// drafts is a [waybill.Tree] of files that are not written yet.
type drafts []starter.File

// Walk lists the files.
func (d drafts) Walk(_ context.Context, fn func(waybill.File) error) error {
	for _, f := range d {
		if err := fn(waybill.File{Path: f.Name, Mode: f.Mode}); err != nil {
			return err
		}
	}
	return nil
}

// Open reads a file.
func (d drafts) Open(_ context.Context, name string) (io.ReadCloser, error) {
	for _, f := range d {
		if f.Name == name {
			return io.NopCloser(bytes.NewReader(f.Text)), nil
		}
	}
	return nil, waybill.Errorf(waybill.NotFound, "no file %s", name)
}

// Size returns the length of a file.
func (d drafts) Size(_ context.Context, name string) (int64, error) {
	for _, f := range d {
		if f.Name == name {
			return int64(len(f.Text)), nil
		}
	}
	return 0, waybill.Errorf(waybill.NotFound, "no file %s", name)
}

func (s *start) write(dir string, files []starter.File, answers starter.Answers) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // G301: a folder of a repository is read by others
		return waybill.Errorf(waybill.Unavailable, "cannot make %s: %w", s.folder, err)
	}
	for _, f := range files {
		if err := create(filepath.Join(dir, f.Name), f); err != nil {
			return waybill.Errorf(waybill.Unavailable, "cannot write %s: %w", filepath.Join(s.folder, f.Name), err)
		}
	}
	next := "Commit and push them: the draft of " + answers.First("name") + " follows."
	if s.set.Kind == "connector" {
		next = "Commit and push them: " + answers.First("name") + " is built, checked and deployed to " + answers.First("owner") + "-dev."
	}
	_, err := fmt.Fprintf(s.Stdout, "Wrote %s in %s.\n%s\nREADME.md says how to try it here first.\n", strings.Join(s.names(), ", "), where(s.folder), next)
	return err
}

// where names a folder in a sentence.
func where(folder string) string {
	if folder == "." {
		return "this folder"
	}
	return folder
}

// create writes a file that must not be there.
func create(name string, f starter.File) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode) //nolint:gosec // G304: the folder is the person's own choice
	if err != nil {
		return err
	}
	_, err = file.Write(f.Text)
	return errors.Join(err, file.Close())
}
