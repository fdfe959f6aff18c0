// Command rows compares what a run printed with the table it was made from: rows TABLE.csv <STDOUT.
//
// Rows are the lines that are JSON objects without "level". There must be one for each line of the table, in its
// order, with one field for each column, and every value written as in the table. It prints how many there are, or
// what differs and exits 1.
package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rows:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: rows TABLE.csv <STDOUT")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	want, err := table(f)
	if err != nil {
		return err
	}
	got, err := printed(in)
	if err != nil {
		return err
	}
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return fmt.Errorf("%d rows, want %d; the first that is missing: %v", len(got), len(want), want[i])
		case i >= len(want):
			return fmt.Errorf("%d rows, want %d; the first too many: %v", len(got), len(want), got[i])
		case !maps.Equal(want[i], got[i]):
			return fmt.Errorf("row %d is %v, want %v", i+1, got[i], want[i])
		}
	}
	_, err = fmt.Fprintf(out, "%d rows, each as in %s\n", len(got), args[0])
	return err
}

// table reads a CSV file whose first line names the columns.
func table(r io.Reader) ([]map[string]string, error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(lines) < 2 {
		return nil, errors.New("the table holds no rows")
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, value := range line {
			row[lines[0][i]] = value
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// printed reads the rows among the lines of r. Numbers keep the digits they were printed with.
func printed(r io.Reader) ([]map[string]string, error) {
	var rows []map[string]string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var object map[string]json.RawMessage
		if json.Unmarshal(lines.Bytes(), &object) != nil || object == nil || object["level"] != nil {
			continue
		}
		row := map[string]string{}
		for key, raw := range object {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
			row[key] = text
		}
		rows = append(rows, row)
	}
	return rows, lines.Err()
}
