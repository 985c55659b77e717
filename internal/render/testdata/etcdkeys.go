//go:build ignore

// This program lists the keys of etcd's configuration file, for keys-*.txt:
//
//	go run testdata/etcdkeys.go "$(go list -m -f '{{.Dir}}' go.etcd.io/etcd/server/v3@v3.6.14)"
//
// They are the json tags of the structs into which etcd reads the file, Config
// and the structs embedded beside it in configYAML (embed/config.go). The
// module only has to be downloaded.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

func main() {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(os.Args[1], "embed", "config.go"), nil, 0)
	if err != nil {
		log.Fatal(err)
	}
	keys := map[string]bool{}
	for _, structure := range []string{"Config", "configJSON"} {
		spec, ok := file.Scope.Lookup(structure).Decl.(*ast.TypeSpec)
		if !ok {
			log.Fatalf("%s is no type", structure)
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			if field.Tag == nil {
				continue
			}
			tag, err := strconv.Unquote(field.Tag.Value)
			if err != nil {
				log.Fatal(err)
			}
			key, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			keys[key] = key != "" && key != "-"
		}
	}
	var known []string
	for key, ok := range keys {
		if ok {
			known = append(known, key)
		}
	}
	slices.Sort(known)
	fmt.Println(strings.Join(known, "\n"))
}
