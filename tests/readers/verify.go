// SPDX-License-Identifier: Apache-2.0

// For each line "SENT BUNDLE HOST": does crypto/x509 accept the chain for a server of that name?
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

func accepts(sent, bundle, host string) bool {
	text, _ := os.ReadFile(sent)
	roots := x509.NewCertPool()
	anchors, _ := os.ReadFile(bundle)
	roots.AppendCertsFromPEM(anchors)
	between := x509.NewCertPool()
	var leaf *x509.Certificate
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return false // crypto/tls gives up
		}
		if leaf == nil {
			leaf = cert
		} else {
			between.AddCert(cert)
		}
	}
	if leaf == nil {
		return false
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between})
	return err == nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if accepts(words[0], words[1], words[2]) {
			fmt.Println("yes")
		} else {
			fmt.Println("no")
		}
	}
}
