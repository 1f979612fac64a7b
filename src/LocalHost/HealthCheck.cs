namespace NodeStash.LocalHost;

/// <summary>Asks a running server whether it can serve: for containers, whose images have no other program to ask with.</summary>
public static class HealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <param name="settings">Where the server listens. The first address counts; one that stands for all of the machine is asked on loopback.</param>
    /// <param name="output">Told in a line what came of it.</param>
    /// <returns>0 if it can serve, 1 if not.</returns>
    public static async Task<int> Run(HostSettings settings, TextWriter output)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
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
