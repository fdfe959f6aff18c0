package config

import (
	"strconv"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
)

// The kinds of forges.
const (
	GitHub = "github"
	Gitea  = "gitea" // and Forgejo
	GitLab = "gitlab"
)

// Forge is a place where repositories live that has an API.
type Forge struct {
	Name string // unique
	Kind string
	URL  string // for people, without slash at the end
	// TokenFile or TokenEnv say where the token is. Neither is set for an App.
	TokenFile, TokenEnv string
	App                 *App
}

// App is a GitHub App.
type App struct {
	ID                                         int64
	KeyFile, HookSecretFile, OldHookSecretFile string
}

// Plain is the name of plain Git among the forges.
const Plain = "plain"

// homes are the forges that everybody means by their kind.
func homes() map[string]string {
	return map[string]string{GitHub: "https://github.com", GitLab: "https://gitlab.com"}
}

// examine says what is wrong with forges beyond the definition of one.
func examine(d *schema.Document, forges []Forge, getenv func(string) string) []schema.Problem {
	var problems []schema.Problem
	names := map[string]bool{}
	for i, f := range forges {
		at := schema.Path{"forges", strconv.Itoa(i)}
		complain := func(at schema.Path, message, hint string) {
			line, column := d.Place(at)
			problems = append(problems, schema.Problem{Line: line, Column: column, Path: at, Message: message, Hint: hint})
		}
		switch {
		case f.Name == Plain:
			complain(at.Child("name"), `"plain" means plain Git`, "give the forge another name")
		case names[f.Name]:
			complain(at.Child("name"), "there are two forges called "+strconv.Quote(f.Name), "rename one")
		}
		names[f.Name] = true
		if f.URL == "" {
			complain(at, "forge "+f.Name+" has no address", "add url: https://…")
		}
		where, sources := at, 0
		for field, given := range map[string]bool{"tokenFile": f.TokenFile != "", "tokenEnv": f.TokenEnv != "", "app": f.App != nil} {
			if given {
				sources++
				where = at.Child(field)
			}
		}
		switch {
		case sources == 0:
			complain(at, "forge "+f.Name+" has no token", "add tokenFile: or tokenEnv:"+orApp(f))
		case sources > 1:
			complain(at, "forge "+f.Name+" has more than one of tokenFile, tokenEnv and app", "keep one")
		case f.App != nil && f.Kind != GitHub:
			complain(where, "only GitHub has Apps", "use tokenFile or tokenEnv")
		case f.TokenEnv != "" && (getenv == nil || getenv(f.TokenEnv) == ""):
			complain(where, "the environment variable "+f.TokenEnv+" is empty", "set it to the token of "+f.Name)
		}
	}
	return problems
}

func orApp(f Forge) string {
	if f.Kind == GitHub {
		return " or app:"
	}
	return ""
}
