using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Functions.Api.Http;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Access;

/// <summary>What operations say of themselves is complete, and what their forms say of bodies is true.</summary>
public sealed class OperationTests(Server server) : ApiTests(server)
{
    public static TheoryData<string> WithForms =>
        [.. Operation.All.Where(operation => operation.Body is { Fields.Count: > 0 }).Select(operation => operation.Name)];

    [Fact]
    public void Every_operation_has_a_summary_of_one_sentence()
    {
        foreach (var operation in Operation.All)
            Assert.True(operation.Summary is { Length: >= 10 and <= 100 } && operation.Summary[^1] == '.', $"{operation.Name}: {operation.Summary}");
    }

    [Fact]
    public void Every_parameter_has_a_description()
    {
        foreach (var operation in Operation.All)
        {
            foreach (var parameter in operation.Parameters)
                Assert.True(parameter.Description is { Length: > 10 } && parameter.Description[^1] == '.', $"{operation.Name}: {parameter.Name}");
        }
    }

    [Theory]
    [MemberData(nameof(WithForms))]
    public void Every_member_of_a_form_has_a_description_and_takes_its_example(string name)
    {
        foreach (var field in Find(name).Body!.Fields)
        {
            Assert.True(field.Description is { Length: > 5 } && field.Description[^1] == '.', $"{name}: {field.Name} has no description");
            if (field.Example is null) continue;
            var errors = new ValidationErrors();
            Assert.NotNull(field.Read(JsonElement.Parse(field.Example), field.Name, errors));
            Assert.Empty(errors.All);
        }
    }

    /// <summary>Facets are what readers check: what is one beyond a bound is refused, what is on it is not.</summary>
    [Theory]
    [MemberData(nameof(WithForms))]
    public void Facets_say_what_fields_take(string name)
    {
        foreach (var field in Find(name).Body!.Fields)
        {
            var facets = field.Facets;
            if (facets is { Type: JsonType.String, MaxLength: { } maxLength, Format: null, Pattern: null })
                Holds(field, new string('a', maxLength), new string('a', maxLength + 1));
            if (facets is { Type: JsonType.String, Choices: [var first, ..] }) Holds(field, first, first + "x");
            if (facets is { Type: JsonType.Integer, Minimum: { } min, Maximum: { } max })
            {
                Holds(field, min, min - 1);
                Holds(field, max, max + 1);
            }

            if (facets.Type is not JsonType.Boolean) Refuses(field, true);
            else Holds(field, true, "true");
        }
    }

    [Fact]
    public async Task Every_faulty_member_of_a_body_is_named_at_once()
    {
        (string Path, object Body, string[] Fields)[] bodies =
        [
            ("contacts/batch", new { operations = Array.Empty<object>(), atomic = 1, x = 1 }, ["operations", "atomic", "x"]),
            ("contacts/batch", new { operations = new object[] { new { op = "update", id = "x", y = 1 } } },
                ["operations[0].data", "operations[0].id", "operations[0].y"]),
            ("contacts/merge", new { source_ids = new[] { "x" }, z = 1 }, ["source_ids[0]", "target_id", "z"]),
            ($"pipelines/{await FirstPipeline()}/stages", new { type = "maybe", position = -1, w = 1 }, ["name", "position", "type", "w"]),
            ($"webhooks/{await Webhook()}/rotate-secret", new { grace_seconds = -1, v = 1 }, ["grace_seconds", "v"]),
            ($"webhooks/{await Webhook()}/replay", new { since = "2999-01-01", missing_only = 1, u = 1 }, ["missing_only", "since", "u"]),
            ("search/reindex", new { t = 1, s = 1 }, ["s", "t"]),
        ];
        foreach (var (path, body, fields) in bodies)
            Assert.Equal($"{path} {string.Join(", ", fields.Order(StringComparer.Ordinal))}",
                $"{path} {string.Join(", ", (await Api.Post($"/v1/{path}", body)).IsError(400, "VALIDATION_ERROR").Fields.Order(StringComparer.Ordinal))}");
    }

    private static Operation Find(string name) => Operation.All.Single(operation => operation.Name == name);

    private static void Holds(Field field, object sound, object faulty)
    {
        var errors = new ValidationErrors();
        Assert.True(field.Read(JsonSerializer.SerializeToElement(sound), field.Name, errors) is not null && !errors.Any, $"{field.Name} refuses {sound}");
        Refuses(field, faulty);
    }

    private static void Refuses(Field field, object faulty)
    {
        var errors = new ValidationErrors();
        field.Read(JsonSerializer.SerializeToElement(faulty), field.Name, errors);
        Assert.True(errors.Any, $"{field.Name} takes {faulty}");
    }

    private async Task<string> FirstPipeline() => (await Api.Get("/v1/pipelines?limit=1")).Is(200).Ids[0];

    private async Task<string> Webhook() => (await Api.Create("webhooks", new { url = "https://hooks.example.com/in", is_enabled = false })).Id;
}
