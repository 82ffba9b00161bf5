// Package packed spares the plugin framework values of which it needs to know
// nothing. The framework walks a dynamic value with the schema, which has
// nothing to say of what is in it, about thirty times for a plan that changes
// nothing; with hundreds of packages in it that is most of what such a plan
// takes. Between Terraform and the framework stands a Server that packs it: for
// the framework it is one text, its encoding as Terraform has sent it. Two packed
// values are equal if what is in them is. The resource opens it where it reads it,
// with Open, and hands it on packed or not, as it likes.
//
// A state that needs no upgrade stays as it is, too, and an argument of a function that
// came without a value gets a null.
package packed

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Resource has a dynamic attribute that is packed.
type Resource interface {
	resource.Resource
	// Packed is the name of the attribute.
	Packed() string
}

// Open is a dynamic value with what is in it, whether it is packed or not.
func Open(ctx context.Context, v types.Dynamic) (types.Dynamic, error) {
	text, ok := v.UnderlyingValue().(types.String)
	if !ok || !isPacked(text.ValueString()) {
		return v, nil
	}
	value, err := tfprotov6.DynamicValue{MsgPack: []byte(text.ValueString())}.Unmarshal(tftypes.DynamicPseudoType)
	if err != nil {
		return types.DynamicNull(), err
	}
	opened, err := types.DynamicType.ValueFromTerraform(ctx, value)
	v, _ = opened.(types.Dynamic)
	return v, err
}

// pair begins the encoding of a dynamic value that is known: a list of its type and of
// itself. It is not UTF-8, so that no text of a configuration begins with it.
const pair = 0x92

func isPacked(text string) bool { return text != "" && text[0] == pair }

// typeOfText is how the encoding of a text in a dynamic value begins.
var typeOfText = []byte(`"string"`)

// pack makes a text of an encoded dynamic value that has something in it. What it cannot
// read it leaves to the framework to refuse.
func pack(value []byte) []byte {
	if len(value) == 0 || value[0] != pair {
		return value // unknown or null
	}
	d := msgpack.NewDecoder(bytes.NewReader(value[1:]))
	if d.Skip() != nil {
		return value
	}
	if code, err := d.PeekCode(); err != nil || !isCollection(code) {
		return value
	}
	var out bytes.Buffer
	e := msgpack.NewEncoder(&out)
	out.WriteByte(pair)
	if err := errors.Join(e.EncodeBytes(typeOfText), e.EncodeString(string(value))); err != nil {
		return value
	}
	return out.Bytes()
}

func isCollection(code byte) bool {
	return msgpcode.IsFixedMap(code) || msgpcode.IsFixedArray(code) ||
		code == msgpcode.Map16 || code == msgpcode.Map32 || code == msgpcode.Array16 || code == msgpcode.Array32
}

// unpack is the reverse of pack.
func unpack(value []byte) []byte {
	if len(value) == 0 || value[0] != pair {
		return value
	}
	d := msgpack.NewDecoder(bytes.NewReader(value[1:]))
	if kind, err := d.DecodeBytes(); err != nil || !bytes.Equal(kind, typeOfText) {
		return value
	}
	if text, err := d.DecodeString(); err == nil && isPacked(text) {
		return []byte(text)
	}
	return value // another text, or null
}

// change puts something else in the place of an attribute's encoded value.
func change(object *tfprotov6.DynamicValue, attribute string, how func([]byte) []byte) *tfprotov6.DynamicValue {
	if object == nil || len(object.MsgPack) == 0 {
		return object
	}
	rest := bytes.NewReader(object.MsgPack)
	d := msgpack.NewDecoder(rest)
	for attributes, err := d.DecodeMapLen(); err == nil && attributes > 0; attributes-- {
		name, err := d.DecodeString()
		begin := len(object.MsgPack) - rest.Len()
		if err != nil || d.Skip() != nil {
			break
		}
		if end := len(object.MsgPack) - rest.Len(); name == attribute {
			return &tfprotov6.DynamicValue{MsgPack: slices.Concat(object.MsgPack[:begin], how(object.MsgPack[begin:end]), object.MsgPack[end:])}
		}
	}
	return object
}
