package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/objsrv/objsrv/storage"
)

// readObject reads a version whole and checks what Content promises about it.
func readObject(ctx context.Context, b storage.Backend, ref storage.Ref) (string, error) {
	o, c, err := b.GetObject(ctx, ref)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return readContent(c, o.Length())
}

// readContent reads all of a content.
func readContent(c storage.Content, size int64) (string, error) {
	got, err := io.ReadAll(c.Range(0, size))
	if err != nil {
		return "", fmt.Errorf("read content: %w", err)
	}
	if int64(len(got)) != size {
		return "", fmt.Errorf("read content: %d bytes of %d", len(got), size)
	}
	if whole, ok := c.Bytes(); ok && !bytes.Equal(whole, got) {
		return "", fmt.Errorf("read content: Bytes and Range differ")
	}
	if to, ok := c.Range(0, size).(io.WriterTo); ok {
		var buf bytes.Buffer
		n, err := to.WriteTo(&buf)
		if err != nil || n != size || !bytes.Equal(buf.Bytes(), got) {
			return "", fmt.Errorf("read content: WriteTo gave %d bytes (error %v) that should be the %d of Read", n, err, size)
		}
	}
	return string(got), nil
}

// readRange reads a part of a version.
func readRange(c storage.Content, off, n int64) ([]byte, error) {
	return io.ReadAll(c.Range(off, n))
}
