import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** One Elasticsearch node until it is killed. Arguments: the folder of modules, then name=value settings. */
public final class Server {
    public static void main(String[] arguments) throws Exception {
        LogConfigurator.configureESLogging();
        Settings.Builder settings = Settings.builder();
        Arrays.stream(arguments).skip(1).map(one -> one.split("=", 2)).forEach(pair -> settings.put(pair[0], pair[1]));
        Path config = Files.createDirectories(Path.of(settings.get("path.home"), "config"));
        Environment environment =
            InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), config, () -> "test");
        var modules = PluginsLoader.loadModulesBundles(Path.of(arguments[0]), false);
        new Node(environment, PluginsLoader.createPluginsLoader(modules, Set.of(), Map.of(), false)).start();
        Thread.currentThread().join();
    }
}
