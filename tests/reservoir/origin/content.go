// SPDX-License-Identifier: Apache-2.0

package origin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"time"
)

// epoch is when everything was made: the same in every run.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// content makes up a file: its bytes are those of its name.
func content(name string, average int) []byte {
	random := rand.NewChaCha8(sha256.Sum256([]byte(name)))
	size := average/2 + int(random.Uint64()%uint64(average+1))
	data := make([]byte, size)
	_, _ = random.Read(data)
	return data
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// serveContent answers with ranges and conditions, under a strong tag.
func serveContent(w http.ResponseWriter, r *http.Request, mediaType string, data []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("ETag", `"`+digest(data)[:32]+`"`)
	http.ServeContent(w, r, "", epoch, bytes.NewReader(data))
}
