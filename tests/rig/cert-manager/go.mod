// A module path below cert-manager's own lets this program use the same
// internal packages as upstream's cmd/ modules, which no module proxy serves.
module github.com/cert-manager/cert-manager/cmd/rig

go 1.26.0

require github.com/cert-manager/cert-manager v1.20.3
