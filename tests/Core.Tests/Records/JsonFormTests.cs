using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using NodeStash.Core.Values;

namespace NodeStash.Core.Tests.Records;

public sealed class JsonFormTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("Žluť 日本 😀 \u2028 <&>'", "Žluť 日本 😀 \u2028 <&>'")]
    [InlineData("a\"b\\c/d", "a\\\"b\\\\c/d")]
    [InlineData("\n\r\t\b\f", "\\n\\r\\t\\b\\f")]
    [InlineData("\u0001\u001F\u007F", "\\u0001\\u001F\u007F")]
    public void Only_what_must_be_escaped_is_escaped(string text, string written) =>
        Assert.Equal($$"""{"a":"{{written}}"}""", Encoding.UTF8.GetString(JsonForm.Object(writer => writer.WriteString("a", text)).Span));

    [Fact]
    public void Any_text_comes_back_as_it_was() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<string>().Select(text => text is null ? "" : string.Concat(text.EnumerateRunes())).ToArbitrary(),
        text => JsonElement.Parse(JsonForm.Object(writer => writer.WriteString(text, text)).Span).EnumerateObject().Single() is var member
            && member.Name == text && member.Value.GetString() == text).QuickCheckThrowOnFailure();
}
