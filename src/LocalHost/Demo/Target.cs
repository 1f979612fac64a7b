using System.Net;
using System.Text.Json;

namespace NodeStash.LocalHost.Demo;

/// <summary>Finds a running server for the demo, or starts one.</summary>
internal sealed class Target : IAsyncDisposable
{
    private const string FreePort = "http://127.0.0.1:0";

    private readonly CrmHost? own;
    private readonly DirectoryInfo? temporary;

    private Target(Uri address, string apiKey, CrmHost? own = null, DirectoryInfo? temporary = null) =>
        (Address, ApiKey, this.own, this.temporary) = (address, apiKey, own, temporary);

    public Uri Address { get; }

    public string ApiKey { get; }

    /// <summary>Whether the demo started it, so that no other client changes data there.</summary>
    public bool IsOwn => own is not null;

    /// <summary>Whether the records of the demo remain after it.</summary>
    public bool Remains => temporary is null;

    /// <summary>Finds the running server of the settings, or starts one.</summary>
    /// <exception cref="DemoFailedException">The requested server does not accept the key.</exception>
    /// <exception cref="StartException">No server runs, and none can be started.</exception>
    public static async Task<Target> FindOrStart(HostSettings settings, Narration tell, CancellationToken ct)
    {
        if (Uri.TryCreate(settings.Urls.Split(';')[0], UriKind.Absolute, out var address) && await IsNodeStash(address, ct))
        {
            var keyFile = DataFolder.ApiKeyFileIn(settings.Data);
            var key = Read(keyFile);
            if (key is not null && await AcceptsKey(address, key, ct))
            {
                tell.Say($"Against the server at {address}, with the key in {keyFile}");
                return new Target(address, key);
            }

            var problem = key is null ? $"there is no key to read in {keyFile}" : $"it does not accept the key in {keyFile}";
            if (settings.UrlsGiven) throw new DemoFailedException($"a server runs at {address}, but {problem}: give the folder it runs on with --data");
            tell.Say($"A server runs at {address}, but {problem}: left alone.");
        }

        return await Start(settings, tell, ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (own is not null) await own.DisposeAsync();
        temporary?.Delete(recursive: true);
    }

    private static async Task<Target> Start(HostSettings settings, Narration tell, CancellationToken ct)
    {
        var temporary = settings.DataGiven ? null : Directory.CreateTempSubdirectory("nodestash-demo-");
        try
        {
            var host = await CrmHost.Start(
                settings with { Urls = settings.UrlsGiven ? settings.Urls : FreePort, Data = temporary?.FullName ?? settings.Data, Quiet = true }, ct);
            tell.Say($"Against a server of its own at {host.Address.Authority}, data in "
                + $"{temporary?.FullName ?? Path.GetFullPath(settings.Data)}{(temporary is null ? "" : ", removed at the end")}");
            return new Target(host.Address, host.ApiKey, host, temporary);
        }
        catch
        {
            temporary?.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>Checks the server before the key is sent, so that no other program gets the key.</summary>
    private static async Task<bool> IsNodeStash(Uri address, CancellationToken ct) =>
        await TrySend(address, null, "health", ct) is { Status: HttpStatusCode.OK, Json.ValueKind: JsonValueKind.Object } health
        && health.Json.TryGetProperty("status", out var status) && status.ValueEquals("ok");

    private static async Task<bool> AcceptsKey(Uri address, string key, CancellationToken ct) =>
        await TrySend(address, key, "v1/webhooks?limit=1", ct) is { Status: HttpStatusCode.OK };

    private static async Task<Reply?> TrySend(Uri address, string? key, string path, CancellationToken ct)
    {
        using var client = new Client(address, key);
        try
        {
            return await client.Send(HttpMethod.Get, path, null, ct);
        }
        catch (DemoFailedException)
        {
            return null;
        }
    }

    private static string? Read(string keyFile)
    {
        try
        {
            return File.ReadAllText(keyFile).Trim() is { Length: > 0 } key ? key : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
