using System.Collections.Concurrent;
using System.Text.Json;

namespace NodeStash.Infrastructure.Tests;

/// <summary>
/// The resources that main.bicep deploys with a parameter file, as the compiler predicts them. Values that only Azure knows stay expressions,
/// in brackets.
/// </summary>
internal sealed class Deployment
{
    /// <summary>Who gets alerts: without an address there are none.</summary>
    public const string AlertEmail = "operator@example.com";

    private static readonly ConcurrentDictionary<string, Lazy<Task<Deployment>>> predicted = new();

    private readonly List<Resource> resources;

    private Deployment(JsonElement snapshot) =>
        resources = [.. snapshot.GetProperty("predictedResources").EnumerateArray().Select(resource => new Resource(resource))];

    /// <summary>Predicts the deployment with a parameter file, once.</summary>
    /// <param name="parameters">The file's name without extension: <c>dev</c> or <c>prod</c>.</param>
    public static Task<Deployment> With(string parameters) => predicted.GetOrAdd(parameters, name => new(() => Predict(name))).Value;

    /// <summary>The resources of these types, in the order of the types. Each type has one at least.</summary>
    public IReadOnlyList<Resource> All(params string[] types) => [.. types.SelectMany(type =>
    {
        var found = resources.Where(resource => resource.Type == type);
        Assert.True(found.Any(), $"The deployment has no {type}.");
        return found;
    })];

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
internal sealed class Resource(JsonElement json)
{
    public string Id => Text("id");

    public string Type => Text("type");

    /// <summary>Its name below the names of the resources it belongs to, each with a slash.</summary>
    public string FullName => Text("name");

    /// <summary>The last part of <see cref="FullName"/>.</summary>
    public string Name => FullName[(FullName.LastIndexOf('/') + 1)..];

    public JsonElement Properties => json.GetProperty("properties");

    /// <summary>A property at a path below <see cref="Properties"/>.</summary>
    public JsonElement this[params string[] path] => path.Aggregate(Properties, (at, name) => at.GetProperty(name));

    private string Text(string member) => json.GetProperty(member).GetString()!;
}
