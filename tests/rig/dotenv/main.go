// Reads .env files with compose's own code: in comes a JSON list of lists of files' texts, out a result a list.
package main

import (
	"encoding/json"
	"log"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

type result struct {
	Values map[string]string `json:"values"`
	// Empty: all was read.
	Error string `json:"error"`
}

func main() {
	input, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var cases [][]string
	if err := json.Unmarshal(input, &cases); err != nil {
		log.Fatal(err)
	}
	results := make([]result, len(cases))
	for i, files := range cases {
		results[i] = read(files)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		log.Fatal(err)
	}
}

// As types/project.go of compose-go loads a service's env_file list, with nothing set beside it.
func read(files []string) result {
	values := map[string]string{}
	nothing := func(string) (string, bool) { return "", false }
	for _, text := range files {
		if err := dotenv.ParseWithFormat(strings.NewReader(text), "", values, nothing, ""); err != nil {
			return result{Error: err.Error()}
		}
	}
	return result{Values: values}
}
