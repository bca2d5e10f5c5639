//go:build !unix

package bench

import "time"

// cpuTime is not known here, and "cpu-ns/op" is then left out.
func cpuTime() time.Duration { return 0 }
