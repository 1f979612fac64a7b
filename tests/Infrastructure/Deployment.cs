using System.Collections.Concurrent;
using System.Text.Json;

namespace NodeStash.Infrastructure.Tests;

/// <summary>The resources that main.bicep deploys with a parameter file, as the compiler predicts them. What only Azure knows stays an expression, in brackets.</summary>
internal sealed class Deployment
{
    /// <summary>Who gets alerts: without an address there are none.</summary>
    public const string AlertEmail = "operator@example.com";

    private static readonly ConcurrentDictionary<string, Lazy<Task<Deployment>>> predicted = new();

    private readonly JsonElement resources;

    private Deployment(JsonElement snapshot) => resources = snapshot.GetProperty("predictedResources");

    /// <summary>The deployment with the parameter file of this name.</summary>
    /// <param name="parameters">The file's name without extension: <c>dev</c> or <c>prod</c>.</param>
    public static Task<Deployment> With(string parameters) => predicted.GetOrAdd(parameters, name => new(() => Predict(name))).Value;

    /// <summary>The resources of a type.</summary>
    public IReadOnlyList<Resource> Resources(string type) => [.. resources.EnumerateArray().Where(resource => resource.GetProperty("type").ValueEquals(type)).Select(resource => new Resource(resource))];

    private static async Task<Deployment> Predict(string parameters)
    {
        // The compiler writes its prediction beside the parameter file, so it gets a copy of that in the output folder.
        var copy = Path.Combine(AppContext.BaseDirectory, $"{parameters}.bicepparam");
        var template = Path.GetRelativePath(AppContext.BaseDirectory, Path.Combine(Bicep.Folder, "main.bicep"));
        var text = await File.ReadAllTextAsync(Path.Combine(Bicep.Folder, $"{parameters}.bicepparam"));
        await File.WriteAllTextAsync(copy, text.Replace("using 'main.bicep'", $"using '{template}'", StringComparison.Ordinal));
        await Bicep.Run(
            "snapshot", copy, "--mode", "overwrite", "--subscription-id", "00000000-0000-0000-0000-000000000001",
            "--resource-group", "nodestash", "--location", "westeurope", "--deployment-name", "main");
        return new(JsonElement.Parse(await File.ReadAllBytesAsync(Path.ChangeExtension(copy, "snapshot.json"))));
    }
}

/// <summary>A resource of a deployment.</summary>
internal sealed record Resource(JsonElement Json)
{
    public string Id => Json.GetProperty("id").GetString()!;

    /// <summary>Its name below those of the resources it belongs to, each with a slash.</summary>
    public string FullName => Json.GetProperty("name").GetString()!;

    /// <summary>The last part of the name.</summary>
    public string Name => FullName[(FullName.LastIndexOf('/') + 1)..];

    public string Kind => Json.GetProperty("kind").GetString()!;

    public JsonElement Properties => Json.GetProperty("properties");
}
