package render

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	for name, row := range map[string]struct{ unit, app, member string }{
		"first_unit":             {"etcd/0", "etcd", "etcd-0"},
		"two_digits":             {"etcd/10", "etcd", "etcd-10"},
		"app_with_dash":          {"my-etcd/3", "my-etcd", "my-etcd-3"},
		"app_with_number":        {"etcd-2/0", "etcd-2", "etcd-2-0"},
		"app_that_ends_in_digit": {"etcd2/11", "etcd2", "etcd2-11"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, row.member, MemberName(row.unit))
			unit, ok := UnitName(row.member, row.app)
			require.True(t, ok)
			require.Equal(t, row.unit, unit)
		})
	}
}

func TestUnitName_of_others(t *testing.T) {
	for name, row := range map[string]struct{ member, app string }{
		"app_whose_name_starts_alike":  {"etcd-2-0", "etcd"},
		"app_whose_name_is_a_part":     {"my-etcd-0", "etcd"},
		"longer_name_of_this_app":      {"etcd-0", "etcd-0"},
		"no_number":                    {"etcd-", "etcd"},
		"no_dash":                      {"etcd0", "etcd"},
		"leading_zero":                 {"etcd-03", "etcd"},
		"sign":                         {"etcd-+3", "etcd"},
		"negative":                     {"etcd--3", "etcd"},
		"letters_after_the_number":     {"etcd-3a", "etcd"},
		"unit_not_member":              {"etcd/3", "etcd"},
		"number_too_large_for_any":     {"etcd-99999999999999999999", "etcd"},
		"nameless_member":              {"", "etcd"},
		"no_application":               {"-3", ""},
		"name_that_an_operator_chose":  {"default", "etcd"},
		"digits_of_another_alphabet":   {"etcd-\u0663", "etcd"},
		"space_around_the_number":      {"etcd- 3", "etcd"},
		"number_in_another_base":       {"etcd-0x3", "etcd"},
		"number_with_digit_separators": {"etcd-1_0", "etcd"},
	} {
		t.Run(name, func(t *testing.T) {
			unit, ok := UnitName(row.member, row.app)
			require.False(t, ok)
			require.Empty(t, unit)
		})
	}
}
