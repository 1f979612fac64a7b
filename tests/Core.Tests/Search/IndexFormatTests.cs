using NodeStash.Core.Search;

namespace NodeStash.Core.Tests.Search;

public sealed class IndexFormatTests
{
    [Fact]
    public void Indexes_whose_terms_differ_in_anything_are_of_other_forms()
    {
        Func<string,
            string>[] ways = [text => text, text => text.Replace("é", "e", StringComparison.Ordinal), text => text.Replace("(0)", "", StringComparison.Ordinal),
                text => text.Replace("@", " ", StringComparison.Ordinal)];
        var forms = ways.Select(way => IndexFormat.Of(fields => fields.Select(field => way(field.Text)))).ToList();

        Assert.Equal(ways.Length, forms.Distinct().Count());
        Assert.Equal(forms, ways.Select(way => IndexFormat.Of(fields => fields.Select(field => way(field.Text)))));
    }
}
