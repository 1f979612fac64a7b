namespace NodeStash.Support.Running;

/// <summary>Tests that share one server and have a workspace of their own each.</summary>
[Collection(typeof(OneServer))]
public abstract class ApiTests(Server server) : IAsyncLifetime
{
    private Workspace? workspace;

    protected Server Server { get; } = server;

    protected Workspace Workspace => workspace ?? throw new InvalidOperationException("The workspace is made before each test.");

    /// <summary>May do everything in the test's workspace.</summary>
    protected Api Api => Workspace.Owner;

    public virtual async ValueTask InitializeAsync() => workspace = await Server.NewWorkspace();

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The stages of a pipeline answered: name, position and type, as one line each.</summary>
    protected static IEnumerable<string> StagesOf(Reply pipeline) =>
        pipeline["stages"].EnumerateArray().Select(s => $"{s.GetProperty("position")} {s.GetProperty("name")} {s.GetProperty("type")}");

    protected static string StageId(Reply pipeline, string name) =>
        pipeline["stages"].EnumerateArray().First(s => s.GetProperty("name").GetString() == name).GetProperty("id").GetString()!;

    protected async Task<Reply> DefaultPipeline() => await Api.Get($"/v1/pipelines/{(await Api.Get("/v1/pipelines?is_default=true")).Ids.Single()}");

    protected Task<Reply> NewPipeline(string name = "Renewals") => Api.Create("pipelines", new
    {
        name,
        stages = new object[] { new { name = "Open" }, new { name = "Talks" }, new { name = "Won", type = "won" }, new { name = "Lost", type = "lost" } },
    });

    protected Task<Reply> Define(string entityType, string slug, string fieldType, string[]? options = null, bool isRequired = false) =>
        Api.Create("custom-fields", new { entity_type = entityType, name = slug, slug, field_type = fieldType, options, is_required = isRequired });
}

[CollectionDefinition]
public sealed class OneServer : ICollectionFixture<Server>;
