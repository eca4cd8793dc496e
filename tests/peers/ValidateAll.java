// Validates many SR files with one validator: PixelMed compiles a 6 MB style sheet per start.
// Usage: java -cp pixelmed.jar ValidateAll.java FILE...   (each report ends with a line "== FILE")

import com.pixelmed.validate.DicomSRValidator;

public class ValidateAll {
    public static void main(String[] files) throws Exception {
        DicomSRValidator validator = new DicomSRValidator();
        validator.setOptionMatchCaseOfCodeMeaning(true);
        validator.setOptionCheckTemplateID(true);
        validator.setOptionCheckContentItemOrder(true);
        for (String file : files) {
            System.out.println(validator.validate(file));
            System.out.println("== " + file);
        }
    }
}
