using System.Globalization;

namespace NodeStash.Bench;

/// <summary>What the command line asks for.</summary>
/// <param name="Command">throughput, startup, million, or limit: the other side of the comparison, started by the benchmark itself.</param>
/// <param name="Sizes">Contacts in the table, one run for each.</param>
/// <param name="Seconds">Of each measurement.</param>
/// <param name="Rounds">Pairs of measurements, product and limit.</param>
/// <param name="Connections">Each sends its next request when it has read the last answer.</param>
/// <param name="Only">Of the scenarios only these; empty for all.</param>
/// <param name="Data">A folder to work in; emptied first.</param>
/// <param name="Port">Where the limit listens.</param>
internal sealed record Options(
    string Command, IReadOnlyList<int> Sizes, double Seconds, int Rounds, int Connections, IReadOnlyList<string> Only, string Data, int Port = 0)
{
    public const string Usage =
        """
        api-bench [throughput|startup|million] [options]

          throughput      requests per second of the product and of a bare program (default)
          startup         time from the start of the process to its first answer
          million         memory with a million contacts

          --sizes N,N     contacts in the table (default 10000,100000)
          --seconds S     of each measurement (default 3)
          --rounds N      pairs of measurements, or starts (default 5)
          --connections N clients that send one request after the other (default 16)
          --only A,B      of get, page, filter, patch, mix, create
          --data DIR      where to work (default: a folder of its own among the temporary files)
        """;

    /// <exception cref="FormatException">It asks for what there is not.</exception>
    public static Options Parse(string[] args)
    {
        var options = new Options("throughput", [10_000, 100_000], 3, 5, 16, [], Path.Combine(Path.GetTempPath(), "nodestash-bench"));
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] is "throughput" or "startup" or "million" or "limit")
            {
                options = options with { Command = args[i] };
                continue;
            }

            var value = i + 1 < args.Length ? args[i + 1] : throw new FormatException($"'{args[i]}' is unknown, or needs a value");
            options = args[i++] switch
            {
                "--sizes" => options with { Sizes = [.. value.Split(',').Select(Number)] },
                "--seconds" => options with { Seconds = double.Parse(value, CultureInfo.InvariantCulture) },
                "--rounds" => options with { Rounds = Number(value) },
                "--connections" => options with { Connections = Number(value) },
                "--only" => options with { Only = value.Split(',') },
                "--data" => options with { Data = Path.GetFullPath(value) },
                "--port" => options with { Port = Number(value) },
                var unknown => throw new FormatException($"unknown option '{unknown}'"),
            };
        }

        return options;
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
