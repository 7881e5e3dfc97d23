// SPDX-License-Identifier: Apache-2.0
// What Kubernetes' server wants of a trust bundle on standard input, with the parsers that it uses: prints
// the number of certificates, or why it would refuse them.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
)

func main() {
	rest, err := io.ReadAll(os.Stdin)
	if err != nil || len(rest) > 1<<20 {
		fmt.Println("too long")
		os.Exit(1)
	}
	seen := map[string]bool{}
	for block, next := pem.Decode(rest); block != nil; block, next = pem.Decode(next) {
		cert, err := x509.ParseCertificate(block.Bytes)
		switch {
		case block.Type != "CERTIFICATE" || len(block.Headers) > 0:
			fmt.Println("not a plain block")
		case err != nil:
			fmt.Println(err)
		case !cert.IsCA || !cert.BasicConstraintsValid:
			fmt.Println("no CA:", cert.Subject)
		case seen[string(block.Bytes)]:
			fmt.Println("twice:", cert.Subject)
		}
		seen[string(block.Bytes)] = true
	}
	fmt.Println(len(seen))
}
