// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"regexp"
	"strings"
)

const (
	prefixMax = 253 // of a label key's prefix, a DNS-1123 subdomain
	nameMax   = 63  // of a label key's name
)

var (
	labelPrefix = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	labelName   = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
)

// IsExtendedResourceName reports whether a kubelet takes a name for the
// resource of a device plugin.
//
// Source: kubernetes/kubernetes pkg/apis/core/v1/helper, release 1.36
func IsExtendedResourceName(name string) bool {
	native := !strings.Contains(name, "/") || strings.Contains(name, "kubernetes.io/")
	if native || strings.HasPrefix(name, "requests.") {
		return false
	}
	// Quotas count the resource under this name, so it must be a label key too.
	return isLabelKey("requests." + name)
}

func isLabelKey(key string) bool {
	prefix, name, _ := strings.Cut(key, "/")
	return len(prefix) <= prefixMax && labelPrefix.MatchString(prefix) &&
		len(name) <= nameMax && labelName.MatchString(name)
}
