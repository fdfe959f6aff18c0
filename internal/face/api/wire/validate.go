package wire

// Validate asks what a tree that was not pushed would mean.
type Validate struct {
	Repository string     `json:"repository,omitempty" maxLength:"2000" doc:"Id, name or URL of the repository it would be pushed to; absent: not known."`
	Folders    []string   `json:"folders,omitempty" maxItems:"10000" doc:"Folders whose manifests are meant; absent: all."`
	Files      []TreeFile `json:"files" nullable:"false" maxItems:"200000" doc:"Every file of the tree."`
}

// TreeFile is a file of a tree. Only what manifests are judged by needs its content.
type TreeFile struct {
	Path    string `json:"path" minLength:"1" maxLength:"4096" doc:"Path from the root of the tree, with slashes."`
	Mode    string `json:"mode" enum:"100644,100755,120000" doc:"Mode as in Git."`
	Size    int64  `json:"size" minimum:"0" doc:"Bytes."`
	Content []byte `json:"content,omitempty" doc:"Content in base64; of a symbolic link, its target."`
}

// Validation says what a tree would mean.
type Validation struct {
	Repository   string    `json:"repository,omitempty" example:"feeds/shop-feed" doc:"Repository it was compared with; absent when it is not watched."`
	Manifests    int       `json:"manifests" doc:"How many manifests were looked at."`
	Declarations []Change  `json:"declarations" nullable:"false" doc:"Valid declarations, and those that are gone, with what would change."`
	Findings     []Finding `json:"findings" nullable:"false" doc:"Mistakes, by place."`
	Unchecked    int       `json:"unchecked_references" doc:"References that could not be checked."`
}
