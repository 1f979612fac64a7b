using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using NodeStash.Support.Running;
using Property = NodeStash.Support.Property;

namespace NodeStash.Functions.Api.Tests.Deals;

public sealed class MoneyTests(Server server) : ApiTests(server)
{
    private const long MaxMinorUnits = 999_999_999_999_999;

    private static readonly Gen<decimal> Amounts =
        from minor in Gen.OneOf(
            from high in Gen.Choose(-9_999_999, 9_999_999) from low in Gen.Choose(0, 99_999_999) select (high * 100_000_000L) + (Math.Sign(high) * low),
            from few in Gen.Choose(-10_000, 10_000) select (long)few,
            Gen.Elements(0L, MaxMinorUnits, -MaxMinorUnits, 1, -1, 10, 4_800_000))
        select new decimal(minor) / 100;

    [Fact]
    public Task Any_amount_of_two_places_comes_back_exact_as_number_and_as_string() => Property.Holds(Amounts, async amount =>
    {
        var exact = amount.ToString("0.00", CultureInfo.InvariantCulture);
        var shortest = amount.ToString("0.##", CultureInfo.InvariantCulture);
        foreach (var form in new[] { exact, shortest, $"\"{exact}\"", $"\"{shortest}\"" })
        {
            var deal = await Api.Create("deals", $$"""{"title":"T","value":{{form}}}""");
            Assert.Equal(exact, deal.Text("value"));
            Assert.Equal(exact, (await Api.Get($"/v1/deals/{deal.Id}")).Text("value"));
        }
    }, tests: 60);

    [Fact]
    public Task More_than_two_places_are_refused() => Property.Holds(
        from amount in Amounts
        from third in Gen.Choose(1, 9)
        from zeros in Gen.Choose(0, 8)
        select amount.ToString("0.00", CultureInfo.InvariantCulture) + new string('0', zeros) + third,
        async text =>
        {
            (await Api.Post("/v1/deals", $$"""{"title":"T","value":{{text}}}""")).IsInvalid("value");
            (await Api.Post("/v1/deals", $$"""{"title":"T","value":"{{text}}"}""")).IsInvalid("value");
        }, tests: 60);

    [Theory]
    [InlineData("4.8e4", "48000.00")]
    [InlineData("1E+2", "100.00")]
    [InlineData("125e-2", "1.25")]
    [InlineData("0e9", "0.00")]
    [InlineData("-0", "0.00")]
    [InlineData("-0.00", "0.00")]
    [InlineData("1.500000", "1.50")]
    [InlineData("\"-0.10\"", "-0.10")]
    public async Task Other_spellings_of_an_amount_are_understood(string given, string answered) =>
        Assert.Equal(answered, (await Api.Create("deals", $$"""{"title":"T","value":{{given}}}""")).Text("value"));

    [Theory]
    [InlineData("10000000000000")]
    [InlineData("\"-10000000000000.00\"")]
    [InlineData("1e13")]
    [InlineData("1e300")]
    [InlineData("1e-30")]
    [InlineData("9e-29")]
    [InlineData("\"1e2\"")]
    [InlineData("\"\"")]
    [InlineData("\" 1\"")]
    [InlineData("\"1,000.00\"")]
    [InlineData("\"1,5\"")]
    [InlineData("\"0x10\"")]
    [InlineData("\"NaN\"")]
    [InlineData("\"Infinity\"")]
    [InlineData("\"€5\"")]
    [InlineData("\"٣\"")]
    [InlineData("true")]
    [InlineData("[]")]
    [InlineData("{}")]
    public async Task What_is_no_amount_or_too_large_is_refused(string given) =>
        (await Api.Post("/v1/deals", $$"""{"title":"T","value":{{given}}}""")).IsInvalid("value");

    [Fact]
    public async Task Amounts_are_filtered_and_sorted_by_value()
    {
        foreach (var value in new[] { "100.10", "9.99", "-5", "100.09", "0" }) await Api.Create("deals", $$"""{"title":"{{value}}","value":"{{value}}"}""");
        await Api.Create("deals", new { title = "none" });
        async Task<string> Titles(string query) =>
            string.Join(' ', (await Api.Get($"/v1/deals?{query}")).Is(200).List.Select(d => d.GetProperty("attributes").GetProperty("title").GetString()));

        Assert.Equal("none -5 0 9.99 100.09 100.10", await Titles("sort=value"));
        Assert.Equal("100.10 100.09 9.99 0 -5 none", await Titles("sort=-value"));
        Assert.Equal("9.99 100.09", await Titles("sort=value&min_value=9.99&max_value=100.09"));
        Assert.Equal("100.10", await Titles("sort=value&value[gt]=100.09"));
        (await Api.Get("/v1/deals?min_value=cheap&max_value=1.234")).IsInvalid("min_value", "max_value");
    }
}
