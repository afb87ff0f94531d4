package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// beat is the pause between two tokens.
const beat = 50 * time.Millisecond

// margin before its end within which a token is not sent any more: it would
// expire on the way.
const margin = 2 * time.Second

// counts is what the load has seen.
type counts struct {
	Signed   int      `json:"signed"`
	Accepted int      `json:"accepted"`
	Refused  []string `json:"refused"`
	// Of signer and verifiers: no answer, though asked three times.
	Unreached int `json:"unreached"`
	// Keys by which the tokens were signed, in the order in which they came.
	Keys []string `json:"keys"`
	// By key, how many tokens were accepted after another key had signed.
	Late map[string]int `json:"late"`
}

type held struct {
	token string
	key   string
	until time.Time
}

// loader gets tokens, and sends each verifier the newest and any other that is
// still valid. It answers with its counts.
func loader(lifetime, signer, verifiers string) (http.HandlerFunc, error) {
	valid, err := time.ParseDuration(lifetime)
	if err != nil {
		return nil, err
	}
	var lock sync.Mutex
	seen := counts{Refused: []string{}, Keys: []string{}, Late: map[string]int{}}
	go func() {
		var all []held
		client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		for range time.Tick(beat) {
			now := time.Now()
			status, token := ask(client, signer, "")
			lock.Lock()
			if status == http.StatusOK {
				var head header
				if err := decode(strings.SplitN(token, ".", 2)[0], &head); err == nil {
					seen.Signed++
					if !slices.Contains(seen.Keys, head.Key) {
						seen.Keys = append(seen.Keys, head.Key)
					}
					all = append(all, held{token: token, key: head.Key, until: now.Add(valid - margin)})
				}
			} else {
				seen.Unreached++
			}
			lock.Unlock()
			all = slices.DeleteFunc(all, func(one held) bool { return now.After(one.until) })
			if len(all) == 0 {
				continue
			}
			for _, one := range []held{all[len(all)-1], all[rand.IntN(len(all))], all[0]} {
				for _, verifier := range strings.Split(verifiers, ",") {
					status, said := ask(client, verifier, one.token)
					lock.Lock()
					seen.judge(one.key, verifier, status, said)
					lock.Unlock()
				}
			}
		}
	}()
	return func(w http.ResponseWriter, _ *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		copied := seen
		copied.Late = maps.Clone(seen.Late)
		_ = json.NewEncoder(w).Encode(copied)
	}, nil
}

func (seen *counts) judge(key, verifier string, status int, said string) {
	switch status {
	case http.StatusOK:
		seen.Accepted++
		if key != seen.Keys[len(seen.Keys)-1] {
			seen.Late[key]++
		}
	case 0:
		seen.Unreached++
	default:
		seen.Refused = append(seen.Refused, fmt.Sprintf("%s: %d %s", verifier, status, strings.TrimSpace(said)))
	}
}

// ask tries three times to get an answer; status 0 is none.
func ask(client *http.Client, url, token string) (int, string) {
	for range 3 {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			break
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(request)
		if err != nil {
			continue
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil {
			return response.StatusCode, string(text)
		}
	}
	return 0, ""
}
