using System.Reflection;

namespace NodeStash.Worker.Tests;

/// <summary>An app as it was published before these tests.</summary>
/// <param name="Name">Of its project, after <c>Functions.</c></param>
public sealed record PublishedApp(string Name)
{
    private static readonly Lazy<string> settingsOnly = new(NewFolderWithSettings);

    public static PublishedApp Api { get; } = new("Api");

    public static PublishedApp Webhooks { get; } = new("Webhooks");

    /// <summary>The repository.</summary>
    public static string Root { get; } = Metadata("Root");

    /// <summary>Where a host looks for host.json: not the published one, which says that the output is not to be deployed.</summary>
    public static string SettingsFolder => settingsOnly.Value;

    public string Folder => Path.Combine(Metadata("Published"), Name);

    public string Program => Path.Combine(Folder, $"NodeStash.Functions.{Name}.dll");

    private static string NewFolderWithSettings()
    {
        var folder = Directory.CreateTempSubdirectory("nodestash-worker-").FullName;
        File.Copy(Path.Combine(Root, "host.json"), Path.Combine(folder, "host.json"));
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }

    private static string Metadata(string key) =>
        typeof(PublishedApp).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == key).Value!;
}
