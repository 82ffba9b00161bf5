package ytt

import (
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// precision in bits of a number that is read, which is that of Terraform's own.
const precision = 512

var (
	// yamlFloat is a float as ytt's reader sees it.
	yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	// plainInteger is an integer that cannot be taken for an octal one.
	plainInteger = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	// jsonNumber splits a json.Number.
	jsonNumber = regexp.MustCompile(`^(-?[0-9]+)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// words are the plain scalars that are neither text nor a number to a reader of
// YAML 1.1, which ytt's is.
var words = map[string]any{
	"": nil, "~": nil, "null": nil, "Null": nil, "NULL": nil,
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true, "true": true, "True": true, "TRUE": true, "on": true, "On": true, "ON": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false, "false": false, "False": false, "FALSE": false, "off": false, "Off": false, "OFF": false,
	".nan": json.Number(".nan"), ".NaN": json.Number(".nan"), ".NAN": json.Number(".nan"),
	".inf": json.Number(".inf"), ".Inf": json.Number(".inf"), ".INF": json.Number(".inf"),
	"+.inf": json.Number(".inf"), "+.Inf": json.Number(".inf"), "+.INF": json.Number(".inf"),
	"-.inf": json.Number("-.inf"), "-.Inf": json.Number("-.inf"), "-.INF": json.Number("-.inf"),
}

// plainScalar is what a scalar without quotes means to ytt: text, a boolean,
// nil, or a json.Number that keeps every digit. A float has a fraction or an
// exponent, as ytt tells it from an integer.
func plainScalar(text string) any {
	if v, ok := words[text]; ok {
		return v
	}
	if text[0] == '.' {
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return float(text)
		}
		return text
	}
	if !strings.ContainsRune("+-0123456789", rune(text[0])) {
		return text
	}
	digits := strings.ReplaceAll(text, "_", "")
	if n, err := strconv.ParseInt(digits, 0, 64); err == nil {
		return json.Number(strconv.FormatInt(n, 10))
	}
	if n, err := strconv.ParseUint(digits, 0, 64); err == nil {
		return json.Number(strconv.FormatUint(n, 10))
	}
	if _, err := strconv.ParseFloat(digits, 64); err != nil || !yamlFloat.MatchString(digits) {
		return text
	}
	if plainInteger.MatchString(digits) { // ytt loses digits of one this long; the file keeps them
		return json.Number(strings.TrimPrefix(digits, "+"))
	}
	return float(digits)
}

// float is the shortest text of a float, however it was written. It must be one
// that strconv can parse.
func float(text string) json.Number {
	if f, _ := strconv.ParseFloat(text, 64); f == 0 { // also for what is too small to tell from it
		if strings.HasPrefix(text, "-") {
			return "-0.0"
		}
		return "0.0"
	}
	f, _, err := big.ParseFloat(text, 10, precision, big.ToNearestEven)
	if err != nil { // hexadecimal
		v, _ := strconv.ParseFloat(text, 64)
		f = big.NewFloat(v)
	}
	shortest := f.Text('g', -1)
	if !strings.ContainsAny(shortest, ".e") {
		shortest += ".0"
	}
	return json.Number(shortest)
}

// numberText writes a number so that every YAML reader takes it for one, YAML
// 1.1 wants a point and an exponent with a sign, and the same number in the same
// way.
func numberText(n json.Number) (string, error) {
	text := n.String()
	if v, ok := words[text].(json.Number); ok {
		return v.String(), nil
	}
	parts := jsonNumber.FindStringSubmatch(text)
	if parts == nil {
		return "", errors.New("not a number")
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return "", errors.New("a number that is too large for YAML, which ends at 1.8e308")
	}
	if parts[2] == "" && parts[3] == "" {
		if text == "-0" {
			return "0", nil
		}
		return text, nil
	}
	parts = jsonNumber.FindStringSubmatch(float(text).String())
	whole, fraction, exponent := parts[1], parts[2], parts[3]
	if fraction == "" {
		fraction = ".0"
	}
	return whole + fraction + exponent, nil
}
