// A program with the Go client of OpenAPI Generator. It prints what it saw.
package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"os"
	"strconv"
	"strings"

	guidance "walk/client"
)

const attempts = 5 // more than the limit of the test

func main() {
	service, key, guide := os.Args[1], os.Args[2], os.Args[3]
	configuration := guidance.NewConfiguration()
	configuration.Servers = guidance.ServerConfigurations{{URL: service}}
	client := guidance.NewAPIClient(configuration)
	examples := read(os.Args[4])
	receipts := []*guidance.Receipt{raise(client, examples["smallest"]), raise(client, examples["full"])}
	known := as(key)
	report := map[string]any{
		"guides":   guides(client),
		"sections": sections(client, guide),
		"raised":   []string{receipts[0].Reference, receipts[1].Reference},
		"followed": []string{follow(client, receipts[0]), follow(client, receipts[1])},
		"verified": verifyAll(client, receipts),
		"faults":   faults(client, examples["smallest"]),
		"events":   events(client, known),
		"too_many": tooMany(client, known),
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

// must stops the program if a request was refused, and returns its answer.
func must[T any, R any](answer T, _ R, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return answer
}

func as(token string) context.Context {
	return context.WithValue(context.Background(), guidance.ContextAccessToken, token)
}

func read(path string) map[string]guidance.Concern {
	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var examples map[string]guidance.Concern
	if err := json.Unmarshal(content, &examples); err != nil {
		log.Fatal(err)
	}
	return examples
}

func raise(client *guidance.APIClient, concern guidance.Concern) *guidance.Receipt {
	return must(client.ConcernsAPI.RaiseConcern(context.Background()).Concern(concern).Execute())
}

func follow(client *guidance.APIClient, receipt *guidance.Receipt) string {
	return must(client.FollowUpAPI.ReadConcernStatus(as(receipt.StatusToken), receipt.Reference).Execute()).State
}

func guides(client *guidance.APIClient) map[string]bool {
	sourced := map[string]bool{}
	for _, each := range must(client.GuidesAPI.ListGuides(context.Background()).Execute()).Guides {
		edition := must(client.GuidesAPI.ReadGuide(context.Background(), each.Guide).Execute())
		sourced[each.Guide] = edition.Source.Get() != nil
	}
	return sourced
}

func ids[T any](items []T, id func(T) string) []string {
	found := []string{}
	for _, item := range items {
		found = append(found, id(item))
	}
	return found
}

func sections(client *guidance.APIClient, guide string) map[string][]string {
	api, nobody := client.GuidesAPI, context.Background()
	return map[string][]string{
		"definitions": ids(must(api.ReadDefinitions(nobody, guide).Execute()).Definitions,
			func(it guidance.Definition) string { return it.Id }),
		"factors": ids(must(api.ReadFactors(nobody, guide).Execute()).Factors,
			func(it guidance.Factor) string { return it.Id }),
		"indicators": ids(must(api.ReadIndicators(nobody, guide).Execute()).Indicators,
			func(it guidance.Indicator) string { return it.Id }),
		"linked_risks": ids(must(api.ReadLinkedRisks(nobody, guide).Execute()).LinkedRisks,
			func(it guidance.LinkedRisk) string { return it.Id }),
		"responsibilities": ids(must(api.ReadResponsibilities(nobody, guide).Execute()).Responsibilities,
			func(it guidance.Responsibility) string { return it.Id }),
		"contacts": ids(must(api.ReadContacts(nobody, guide).Execute()).Contacts,
			func(it guidance.Contact) string { return it.Id }),
	}
}

// verifyAll returns whose each receipt is; nil for the last one, which has the signature of another.
func verifyAll(client *guidance.APIClient, receipts []*guidance.Receipt) []any {
	keys := must(client.ReferenceAPI.ReadReceiptKeys(context.Background()).Execute()).Keys
	first, second := receipts[0].Receipt, receipts[1].Receipt
	forged := first[:strings.LastIndex(first, ".")] + second[strings.LastIndex(second, "."):]
	return []any{verified(first, keys), verified(second, keys), verified(forged, keys)}
}

func verified(receipt string, keys []map[string]string) any {
	var header, claims map[string]any
	parts := strings.Split(receipt, ".")
	parse(parts[0], &header)
	parse(parts[1], &claims)
	for _, key := range keys {
		signed := []byte(parts[0] + "." + parts[1])
		if key["kid"] == header["kid"] && ed25519.Verify(decode(key["x"]), signed, decode(parts[2])) {
			return claims["jti"]
		}
	}
	return nil
}

func parse(part string, target any) {
	if err := json.Unmarshal(decode(part), target); err != nil {
		log.Fatal(err)
	}
}

func decode(text string) []byte {
	content, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		log.Fatal(err)
	}
	return content
}

func faults(client *guidance.APIClient, concern guidance.Concern) []string {
	concern.SetGuide("no-such-guide")
	_, _, err := client.ConcernsAPI.RaiseConcern(context.Background()).Concern(concern).Execute()
	return ids(problemOf(err).Errors, func(it guidance.FieldProblem) string { return it.Pointer + " " + it.Code })
}

func problemOf(err error) guidance.Problem {
	var refused *guidance.GenericOpenAPIError
	if !errors.As(err, &refused) {
		log.Fatal("this must be refused: ", err)
	}
	return refused.Model().(guidance.Problem)
}

func events(client *guidance.APIClient, known context.Context) [][]any {
	told := [][]any{}
	for _, event := range must(client.EventsAPI.ReadEvents(known).Limit(200).Execute()).Events {
		told = append(told, []any{event.Type, event.Data["reference"]})
	}
	return told
}

func tooMany(client *guidance.APIClient, known context.Context) []any {
	for range attempts {
		_, answer, err := client.EventsAPI.ReadEvents(known).Execute()
		if answer != nil && answer.StatusCode == 429 {
			seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			return []any{seconds, problemOf(err).Type}
		}
	}
	log.Fatal("there must be a limit")
	return nil
}
