using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Search;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost;

/// <summary>Where the local host listens and keeps its data.</summary>
public sealed record HostSettings
{
    public const string DefaultUrls = "http://127.0.0.1:7071";

    /// <summary>Addresses to listen on, separated by <c>;</c>. Port 0 takes a free one.</summary>
    public string Urls { get; init; } = DefaultUrls;

    /// <summary>Whether <see cref="Urls"/> was asked for.</summary>
    public bool UrlsGiven { get; init; }

    /// <summary>The folder of everything persistent; made if missing.</summary>
    public string Data { get; init; } = ".nodestash";

    /// <summary>Whether <see cref="Data"/> was asked for.</summary>
    public bool DataGiven { get; init; }

    /// <summary>Whether webhooks may call addresses on this machine, by http too. Other private addresses are always refused.</summary>
    public bool AllowLoopback { get; init; } = true;

    /// <summary>The clock of everything; tests set another one.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Whether nothing but warnings is logged: for the demo, whose own report is what to read.</summary>
    public bool Quiet { get; init; }

    /// <summary>What stands between the product and its search index; null for nothing. Tests have it fail.</summary>
    public Func<ISearchIndexes, ISearchIndexes>? Search { get; init; }

    /// <summary>Adds services that take the place of the host's own; null for none. Tests run the product on other stores.</summary>
    public Action<IServiceCollection>? Services { get; init; }

    /// <summary>Limits of the durable engine.</summary>
    public DurableOptions Durable { get; init; } = new();
}

/// <summary>The host can't start; the message is one line that says why and what to do.</summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
