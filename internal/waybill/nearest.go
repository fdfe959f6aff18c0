package waybill

import "strings"

// Nearest returns the candidate that word most likely was meant to be, or ok false when none is near.
// One slip (a wrong, missing, additional or swapped character) in three characters is near; case does not count.
func Nearest(word string, candidates []string) (nearest string, ok bool) {
	const longest = 100
	best := max(1, len([]rune(word))/3) + 1
	if len(word) > longest {
		return "", false
	}
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < best && d < len(c) {
			best, nearest = d, c
		}
	}
	return nearest, nearest != ""
}

// distance counts the slips between a and b (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
