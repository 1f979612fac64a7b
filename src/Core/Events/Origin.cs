namespace NodeStash.Core.Events;

/// <summary>Where a change comes from; on the wire in lower case.</summary>
public enum ChangeSource
{
    /// <summary>A request with an API key.</summary>
    Api,

    /// <summary>A request with a token of an OAuth client.</summary>
    OAuth,

    /// <summary>A step of an automation rule.</summary>
    Automation,

    /// <summary>An import of a file.</summary>
    Import,

    /// <summary>The product itself.</summary>
    System,
}

/// <summary>On whose behalf a change is made; goes into the metadata of its events.</summary>
/// <param name="Source">Where it comes from.</param>
/// <param name="Actor">The credential, user or rule, e.g. <c>key_…</c>; null for the system.</param>
/// <param name="RequestId"><c>req_…</c>; null where there was no request.</param>
/// <param name="Depth">How many automations led to it, one after the other; 0 where none did.</param>
public sealed record Origin(ChangeSource Source, string? Actor, string? RequestId, int Depth = 0)
{
    /// <summary>The product itself, without a request.</summary>
    public static Origin OfSystem { get; } = new(ChangeSource.System, null, null);

    /// <summary>The source as it stands in events.</summary>
    public string SourceName => NameOf(Source);

    /// <summary>The source of a name that <see cref="SourceName"/> gave.</summary>
    public static ChangeSource SourceOf(string name) => Enum.GetValues<ChangeSource>().First(source => NameOf(source) == name);

    private static string NameOf(ChangeSource source) => source switch
    {
        ChangeSource.Api => "api",
        ChangeSource.OAuth => "oauth",
        ChangeSource.Automation => "automation",
        ChangeSource.Import => "import",
        _ => "system",
    };
}
