using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace NodeStash.Contract.Tests.Running;

/// <summary>Tests of a section of the contract, in a workspace that may hold anything: each names what it makes uniquely, and deletes it afterwards.</summary>
[Collection(nameof(OneDeployment))]
public abstract class ContractTests(Deployment deployment) : IAsyncLifetime
{
    private readonly ConcurrentStack<(Client Client, string Path)> made = new();

    /// <summary>May do everything.</summary>
    protected Client Api { get; } = deployment.Owner;

    /// <summary>Lower-case letters and digits that nothing else in the workspace has; a slug, too.</summary>
    protected string Unique { get; } = "t" + RandomNumberGenerator.GetHexString(12, lowercase: true);

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        while (made.TryPop(out var record)) await record.Client.Delete(record.Path);
    }

    /// <summary>The same for records whose answers are inside another one.</summary>
    protected void MadeIds(string collection, IEnumerable<string> ids)
    {
        foreach (var id in ids) made.Push((Api, $"{collection}/{id}"));
    }

    /// <summary>An address that nobody else in the workspace has.</summary>
    protected string Email(string name = "jane") => $"{name}.{Unique}@example.com";

    /// <summary>Creates a record, which must succeed; it is deleted after the test.</summary>
    protected Task<Answer> Create(string collection, object body) => Create(Api, collection, body);

    protected async Task<Answer> Create(Client client, string collection, object body) =>
        Made((await client.Post(collection, body)).Is(201), collection, client);

    /// <summary>Has what an answer tells was created deleted after the test.</summary>
    protected Answer Made(Answer created, string collection, Client? client = null)
    {
        made.Push((client ?? Api, $"{collection}/{created.Id}"));
        return created;
    }

    protected Task<Answer> Contact(object? body = null) => Create("contacts", body ?? new { first_name = "Jane" });

    protected Task<Answer> Company() => Create("companies", new { name = $"Acme {Unique}" });

    protected Task<Answer> Deal(object? body = null) => Create("deals", body ?? new { title = "Licence" });

    /// <summary>Stages Lead, Talks (open), Won, Lost.</summary>
    protected Task<Answer> Pipeline() => Create("pipelines", new
    {
        name = $"Sales {Unique}",
        stages = new object[] { new { name = "Lead" }, new { name = "Talks" }, new { name = "Won", type = "won" }, new { name = "Lost", type = "lost" } },
    });

    protected static string StageId(Answer pipeline, string name) =>
        pipeline.Attributes["stages"]!.AsArray().Single(stage => (string?)stage!["name"] == name)!["id"]!.GetValue<string>();

    /// <summary>A custom field whose slug is unique.</summary>
    protected Task<Answer> Define(string entityType, string fieldType, string[]? options = null, bool isRequired = false) =>
        Create("custom-fields", new { entity_type = entityType, name = "Field", slug = Unique, field_type = fieldType, options, is_required = isRequired });

    /// <summary>A caller in the same workspace with a key of these scopes; it is revoked after the test.</summary>
    protected async Task<Client> WithScopes(string[] scopes, string environment = "live") =>
        Api.WithKey((string)(await Create("api-keys", new { name = Unique, scopes, environment })).Attributes["secret"]!);

    /// <summary>Custom fields or values by name, where names are made at run time.</summary>
    protected static Dictionary<string, object?> Map(params (string Name, object? Value)[] entries) => entries.ToDictionary(e => e.Name, e => e.Value);

    /// <summary>A well-formed id that nothing has.</summary>
    protected static string NoOne(string prefix) =>
        prefix + RandomNumberGenerator.GetString("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 20);
}
