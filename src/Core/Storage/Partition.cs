namespace NodeStash.Core.Storage;

/// <summary>The two partitions of a workspace, which never see each other (docs/api/access.md, Environments).</summary>
public enum WorkspaceEnvironment
{
    Live,
    Test,
}

/// <summary>One partition of one workspace: what every read and write is confined to.</summary>
/// <param name="WorkspaceId"><c>ws_…</c></param>
/// <param name="Environment">Live or test.</param>
public sealed record Partition(string WorkspaceId, WorkspaceEnvironment Environment)
{
    private const string TestSuffix = "~test";

    /// <summary>The partition key as stored: <c>ws_…</c>, or <c>ws_…~test</c>.</summary>
    public string Key { get; } = Environment is WorkspaceEnvironment.Live ? WorkspaceId : WorkspaceId + TestSuffix;

    /// <summary>Reads a stored partition key.</summary>
    public static Partition Parse(string key) => key.EndsWith(TestSuffix, StringComparison.Ordinal)
        ? new Partition(key[..^TestSuffix.Length], WorkspaceEnvironment.Test)
        : new Partition(key, WorkspaceEnvironment.Live);

    public override string ToString() => Key;
}
