using System.Reflection;

namespace NodeStash.LocalHost.Tests.Compat;

public class SurfaceTests
{
    [Theory]
    [InlineData("Microsoft.Azure.Functions.Worker.Extensions.CosmosDB", "cosmosdb.txt")]
    [InlineData("Meilisearch", "meilisearch.txt")]
    public void What_stands_in_for_an_official_package_has_nothing_the_official_one_lacks(string assembly, string list)
    {
        var official = Read(list);
        var foreign = Surface.Of(Assembly.Load(assembly)).SelectMany(type => Foreign(type.Type, type.Members, official)).ToList();
        Assert.True(foreign.Count == 0, $"{assembly} shows what {list} does not list:{Environment.NewLine}{string.Join(Environment.NewLine, foreign)}");
    }

    private static IEnumerable<string> Foreign(string type, IEnumerable<string> members, Dictionary<string, HashSet<string>> official) =>
        official.TryGetValue(type, out var known) ? members.Where(member => !known.Contains(member)).Select(member => $"{type}: {member}") : [type];

    /// <summary>Types stand at the start of a line, their members below them, indented.</summary>
    private static Dictionary<string, HashSet<string>> Read(string list)
    {
        using var stream = typeof(SurfaceTests).Assembly.GetManifestResourceStream(list) ?? throw new FileNotFoundException(list);
        using var reader = new StreamReader(stream);
        var types = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        HashSet<string>? members = null;
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("  ", StringComparison.Ordinal)) members!.Add(line.Trim());
            else if (line.Length > 0 && line[0] != '#') types.Add(line, members = new(StringComparer.Ordinal));
        }

        return types;
    }
}
