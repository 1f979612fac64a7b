using System.Reflection;

namespace NodeStash.Worker.Tests;

/// <summary>An app as it was published before these tests.</summary>
/// <param name="Name">Of its project, after <c>Functions.</c></param>
public sealed record PublishedApp(string Name)
{
    public static PublishedApp Api { get; } = new("Api");

    public static PublishedApp Webhooks { get; } = new("Webhooks");

    /// <summary>The repository.</summary>
    public static string Root { get; } = Metadata("Root");

    /// <summary>With the output as it was published; its host.json says that it is not to be deployed.</summary>
    public string Folder => Path.Combine(Metadata("Published"), Name);

    /// <summary>With the same output, and the host.json of a deployment.</summary>
    public string RunningFolder => Path.Combine(Metadata("Running"), Name);

    /// <summary>What a host starts.</summary>
    public string Program => Path.Combine(RunningFolder, $"NodeStash.Functions.{Name}.dll");

    public override string ToString() => Name;

    private static string Metadata(string key) =>
        typeof(PublishedApp).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == key).Value!;
}
