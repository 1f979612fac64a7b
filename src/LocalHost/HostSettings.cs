using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Search;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost;

/// <summary>Configures the local host: addresses, data folder, limits.</summary>
public sealed record HostSettings
{
    public const string DefaultUrls = "http://127.0.0.1:7071";

    /// <summary>Addresses to listen on, separated by <c>;</c>. Port 0 takes a free one.</summary>
    public string Urls { get; init; } = DefaultUrls;

    /// <summary>Whether <see cref="Urls"/> was given by the user.</summary>
    public bool UrlsGiven { get; init; }

    /// <summary>Data folder; created if missing.</summary>
    public string Data { get; init; } = ".nodestash";

    /// <summary>Whether <see cref="Data"/> was given by the user.</summary>
    public bool DataGiven { get; init; }

    /// <summary>Whether webhooks may call this machine, also by http. Other private addresses are always refused.</summary>
    public bool AllowLoopback { get; init; } = true;

    /// <summary>Clock of all services; tests replace it.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Whether to log warnings and worse only, for the demo, which prints its own report.</summary>
    public bool Quiet { get; init; }

    /// <summary>Wraps the search index, so that tests can make it fail; null for none.</summary>
    public Func<ISearchIndexes, ISearchIndexes>? Search { get; init; }

    /// <summary>Replaces services of the host, so that tests can use other stores; null for none.</summary>
    public Action<IServiceCollection>? Services { get; init; }

    /// <summary>Limits of the durable engine.</summary>
    public DurableOptions Durable { get; init; } = new();
}

/// <summary>The host can't start. The message is one line with the reason and what to do.</summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
