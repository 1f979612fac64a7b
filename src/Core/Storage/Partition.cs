namespace NodeStash.Core.Storage;

/// <summary>The two data sets of a workspace, which never see each other (docs/api/access.md, Environments).</summary>
public enum DataEnvironment
{
    Live,
    Test,
}

/// <summary>One data set of one workspace: what every read and write is confined to.</summary>
/// <param name="WorkspaceId"><c>ws_…</c></param>
/// <param name="Environment">Live or test.</param>
public sealed record Partition(string WorkspaceId, DataEnvironment Environment)
{
    private const string TestSuffix = "~test";

    /// <summary>The partition key as stored: <c>ws_…</c>, or <c>ws_…~test</c>.</summary>
    public string Key { get; } = Environment is DataEnvironment.Live ? WorkspaceId : WorkspaceId + TestSuffix;

    /// <summary>Reads a stored partition key.</summary>
    public static Partition Parse(string key) => key.EndsWith(TestSuffix, StringComparison.Ordinal)
        ? new Partition(key[..^TestSuffix.Length], DataEnvironment.Test)
        : new Partition(key, DataEnvironment.Live);

    public override string ToString() => Key;
}
