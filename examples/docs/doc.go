// Package docs has the pages about using the library, and in its tests their
// code, compiled and run.
package docs
