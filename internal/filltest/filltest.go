// Package filltest gives tests values in which every field has something, so that a field
// that is dropped on the way shows, also one that comes later.
package filltest

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
)

// Whole fills what a pointer leads to: no field of it is left without a value. A text is
// the field's name, and a map of texts has one.
func Whole(t testing.TB, pointer any) {
	t.Helper()
	whole(t, "", reflect.ValueOf(pointer).Elem())
}

func whole(t testing.TB, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i, field := range v.Fields() {
			whole(t, i.Name, field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		whole(t, name, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		whole(t, name, v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		element := reflect.New(v.Type().Elem()).Elem()
		whole(t, name, element)
		v.SetMapIndex(reflect.ValueOf("0"), element)
	case reflect.Interface:
		v.Set(reflect.ValueOf(name))
	case reflect.String:
		v.SetString("of " + name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(1)
	default:
		t.Fatalf("%s: nothing to fill a %s with", name, v.Type())
	}
}

// Random fills what a pointer leads to; what is optional, now and then.
func Random(t testing.TB, r *rand.Rand, pointer any) {
	t.Helper()
	random(t, r, reflect.ValueOf(pointer).Elem())
}

func random(t testing.TB, r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			random(t, r, field)
		}
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			random(t, r, v.Elem())
		}
	case reflect.Slice:
		if n := r.IntN(3); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				random(t, r, v.Index(i))
			}
		}
	case reflect.Map:
		if r.IntN(2) == 0 {
			v.Set(reflect.ValueOf(map[string]string{"a": "b"}))
		}
	case reflect.String:
		if r.IntN(2) == 0 {
			v.SetString("s" + strconv.Itoa(r.IntN(100)))
		}
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int64:
		v.SetInt(r.Int64N(3))
	default:
		t.Fatalf("nothing to fill a %s with", v.Type())
	}
}
