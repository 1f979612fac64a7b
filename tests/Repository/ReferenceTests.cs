using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Values;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Api;
using NodeStash.Functions.Api.Http;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Repository.Tests;

/// <summary>docs/api tells of all there is, and of nothing else. Its snippets are run by tests/Peers.</summary>
public sealed partial class ReferenceTests
{
    private const int MaxLineLength = 120;

    private static readonly Dictionary<string,
        string> pages = Directory.GetFiles(StructureTests.In("docs/api"), "*.md").ToDictionary(file => Path.GetFileName(file), File.ReadAllText);

    /// <summary>Where the fields of each resource are told.</summary>
    private static readonly Dictionary<Schema, (string Page, string Heading)> sections = new()
    {
        [Contact.Schema] = ("v1.md", "Contacts"),
        [Company.Schema] = ("v1.md", "Companies"),
        [Deal.Schema] = ("v1.md", "Deals"),
        [Pipeline.Schema] = ("v1.md", "Pipelines and stages"),
        [Activity.Schema] = ("v1.md", "Activities"),
        [Tag.Schema] = ("v1.md", "Tags"),
        [CustomField.Schema] = ("v1.md", "Custom fields"),
        [CustomObject.Schema] = ("v1.md", "Custom objects"),
        [CustomRecord.Schema] = ("v1.md", "Custom objects"),
        [Webhook.Schema] = ("webhooks.md", "Endpoints"),
        [ApiKey.Schema] = ("access.md", "API keys"),
    };

    public static TheoryData<string> Types => [.. Crm.Catalog.All.Append(CustomRecord.Schema).Select(schema => schema.Type)];

    [Fact]
    public void The_paths_are_those_of_the_functions()
    {
        var routes = FunctionCatalog.Of(typeof(ApiServices).Assembly).TriggeredBy<HttpTriggerAttribute>()
            .SelectMany(f => f.Trigger.Methods ?? [], (f, method) => $"{method.ToUpperInvariant()} /{f.Trigger.Route}").Distinct().Order(StringComparer.Ordinal)
            .ToList();
        var rows = pages.Values.SelectMany(page => page.Split('\n')).Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|')[1]);

        Assert.Equal(routes, rows.SelectMany(RequestsIn).Distinct().Order(StringComparer.Ordinal));
        Assert.Empty(pages.Values.SelectMany(RequestsIn).Except(routes));
    }

    [Fact]
    public void Sources_cite_headings_that_are_there()
    {
        var sources =
            new[] { "src", "tests", "bench" }.SelectMany(folder => Directory.EnumerateFiles(StructureTests.In(folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));
        foreach (Match citation in sources.SelectMany(file => Citation().Matches(File.ReadAllText(file))))
        {
            var (page, heading) = (citation.Groups[1].Value, citation.Groups[2].Value);
            Assert.True(Regex.IsMatch(pages[page], $"^#+ {Regex.Escape(heading)}$", RegexOptions.Multiline), $"{page} has no heading {heading}");
        }
    }

    [Fact]
    public void The_error_codes_are_those_of_the_code_with_their_statuses()
    {
        var statusOf = typeof(ApiServices).Assembly.GetType("NodeStash.Functions.Api.V1.Statuses", throwOnError: true)!.GetMethod("Of")!;

        Assert.Equal(
            Enum.GetValues<ErrorCode>().Select(code => $"{statusOf.Invoke(null, [code])} {Text.ToSnakeCase(code.ToString()).ToUpperInvariant()}")
                .Order(StringComparer.Ordinal),
            ErrorRow().Matches(Section("errors.md", "Codes")).Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_scopes_are_those_that_requests_ask_for()
    {
        var asked = Operation.All.SelectMany(operation => operation.Scopes).Select(scope => scope.Name).Distinct();
        var rows = Section("access.md", "Scopes").Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|')[1]);

        Assert.Equal(
            asked.Append(Scope.Everything).Order(StringComparer.Ordinal),
            rows.SelectMany(row => Code().Matches(row)).Select(match => match.Groups[1].Value).Where(Scope.IsKnown).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_field_is_in_the_table_of_its_resource_with_its_bound(string type)
    {
        var schema = sections.Keys.Single(schema => schema.Type == type);
        var rows = RowsOf(schema);

        Assert.Contains("id", rows);
        foreach (var field in schema.Fields.Where(field => field.Access is not FieldAccess.Internal))
        {
            var (bounds, setBy) = Assert.Contains(field.Name, rows);
            Assert.Equal(field.IsRequired, bounds.Contains("required", StringComparison.Ordinal));
            Assert.Equal(field.Access switch { FieldAccess.ReadOnly => "server", FieldAccess.CreateOnly => "client, on create", _ => "client" }, setBy);
            if (field is TextField { Access: not FieldAccess.ReadOnly } text && IsBounded(text))
                Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"≤ {text.MaxLength}"), bounds, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_filter_sort_and_include_is_told_with_its_resource(string type)
    {
        var schema = sections.Keys.Single(schema => schema.Type == type);
        var (page, heading) = sections[schema];
        string Told(string what) =>
            string.Join('\n',
                Bullet().Matches(Section(page, heading)).Select(match => match.Value).Where(text => text.StartsWith($"- {what}", StringComparison.Ordinal)));

        var filters = schema.Fields.Where(field => field.Filter is not FilterKind.None).Select(field => field.Name)
            .Concat(schema.ExtraFilters.Select(filter => filter.Name));
        Assert.All(filters, name => Assert.Contains($"`{name}`", Told("Filters"), StringComparison.Ordinal));
        Assert.All(schema.Links.Where(link => link.IsChecked), link => Assert.Contains($"`{link.Name[..^3]}.…`", Told("Filters"), StringComparison.Ordinal));
        Assert.All(schema.Fields.Where(field => field.IsSortable), field => Assert.Contains($"`{field.Name}`", Told("Sorts"), StringComparison.Ordinal));
        Assert.All(schema.Includes, include => Assert.Contains($"`{include.Name}`", Told("Include"), StringComparison.Ordinal));
    }

    [Fact]
    public void Every_event_of_a_resource_is_there()
    {
        var nouns = Crm.Catalog.All.Select(schema => schema.EventNoun).OfType<string>().Append("pipeline_stage").Append("<slug>");
        var told = Section("webhooks.md", "Events");

        Assert.All(nouns.SelectMany(noun => new[] { "created", "updated", "deleted" }, (noun, verb) => $"`{noun}.{verb}`"),
            name => Assert.Contains(name, told, StringComparison.Ordinal));
        Assert.All(EventPattern.Nouns, noun => Assert.Contains($"`{noun}.", told, StringComparison.Ordinal));
    }

    [Fact]
    public void No_line_is_longer_than_120_characters() =>
        Assert.All(pages, page => Assert.DoesNotContain(page.Value.Split('\n'), line => line.EnumerateRunes().Count() > MaxLineLength));

    private static IEnumerable<string> RequestsIn(string text) => Request().Matches(text).Select(match => match.Groups[1].Value);

    private static bool IsBounded(TextField field) => field.GetType() == typeof(TextField) || field is EmailField or SlugField;

    /// <summary>From a heading of the second level to the next.</summary>
    private static string Section(string page, string heading) =>
        ("\n" + pages[page]).Split("\n## ").Single(section => section.StartsWith(heading + "\n", StringComparison.Ordinal));

    /// <summary>The bounds of each field of a resource, and who sets it.</summary>
    private static Dictionary<string, (string Bounds, string SetBy)> RowsOf(Schema schema)
    {
        var (page, heading) = sections[schema];
        var tables = Section(page, heading).Split("| Field | Type | Bounds | Set by |").Skip(1).ToList();

        // The section of custom objects has a second table, of their records.
        var table = tables[schema == CustomRecord.Schema ? 1 : 0].Split("\n\n")[0];
        return table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .SelectMany(cells => Code().Matches(cells[1]), (cells, name) => (Name: name.Groups[1].Value, Row: (cells[3], cells[4])))
            .ToDictionary(row => row.Name, row => row.Row);
    }

    [GeneratedRegex("docs/api/([a-z0-9]+\\.md), ([A-Z][A-Za-z ]*[a-z])")]
    private static partial Regex Citation();

    [GeneratedRegex("`((?:GET|HEAD|POST|PATCH|PUT|DELETE) /[^`]*)`")]
    private static partial Regex Request();

    [GeneratedRegex(@"^\| (\d{3}) \| `([A-Z_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex ErrorRow();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"^- .*(?:\n  .*)*", RegexOptions.Multiline)]
    private static partial Regex Bullet();
}
