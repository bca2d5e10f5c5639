package claims

import "time"

// News is a piece of news of [Revocations].
type News struct {
	// Time is when it came.
	Time time.Time
}
