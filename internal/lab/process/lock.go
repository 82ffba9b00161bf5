package process

import (
	"context"
	"os"
	"time"
)

// FileLock is a lock that one process at a time holds. The kernel releases it
// when the holder ends in whatever way.
type FileLock struct{ file *os.File }

// Unlock releases the lock. The file stays.
func (l *FileLock) Unlock() error { return l.file.Close() }

// TryLock takes the lock on the file at path, which it makes if it is
// missing. It returns nil if another process holds the lock.
func TryLock(path string) (*FileLock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if ok, err := tryLock(file); !ok {
		file.Close()
		return nil, err
	}
	return &FileLock{file}, nil
}

// Lock takes the lock on the file at path and waits for it until ctx is done.
// It calls waiting, which may be nil, once if another process has the lock.
func Lock(ctx context.Context, path string, waiting func()) (*FileLock, error) {
	for first := true; ; first = false {
		lock, err := TryLock(path)
		if lock != nil || err != nil {
			return lock, err
		}
		if first && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
