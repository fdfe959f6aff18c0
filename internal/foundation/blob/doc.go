// Package blob keeps logs as files below one folder: appended to by one writer, limited in size, and followed live by
// readers in the same process. An id is a relative path such as release/01J…/build; it cannot leave the folder.
package blob
