namespace NodeStash.LocalHost;

/// <summary>Checks whether a running server can serve, for container images without another HTTP client.</summary>
public static class HealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Requests the readiness of the server.</summary>
    /// <param name="settings">The addresses of the server. The first is used; a wildcard address is requested on loopback.</param>
    /// <param name="output">Receives one line with the result.</param>
    /// <returns>0 if it can serve, 1 if not.</returns>
    public static async Task<int> Run(HostSettings settings, TextWriter output)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout };
        try
        {
            using var answer = await client.GetAsync(Address(settings.Urls.Split(';')[0]));
            await output.WriteLineAsync($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or UriFormatException)
        {
            await output.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static Uri Address(string url)
    {
        foreach (var everywhere in new[] { "://+", "://*", "://0.0.0.0", "://[::]" }) url = url.Replace(everywhere, "://127.0.0.1", StringComparison.Ordinal);
        return new Uri(new Uri(url), "/health/ready");
    }
}
